import { expect, it } from 'vitest';
import { goLog, rfc3339 } from '../../src/output/goLog.ts';
import { recordStreams } from '../support.ts';

it('writes lines as logrus does, and drops what is not asked for', () => {
  const streams = recordStreams();
  const log = goLog(streams, 'warning');
  log('debug', 'no');
  log('warning', 'a "b"');
  expect(streams.stdout).toBe('');
  expect(streams.stderr).toMatch(/^time="\d{4}-\d\d-\d\dT[^"]+" level=warning msg="a \\"b\\""\n$/);
});

it('gives times to the second with their zone', () => {
  const time = new Date('2026-02-03T04:05:06.789Z');
  const text = rfc3339(time);
  expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/);
  expect(new Date(text).getTime()).toBe(new Date('2026-02-03T04:05:06Z').getTime());
});
