import { describe, expect, it } from 'vitest';
import { formatAge } from '../../src/output/time.ts';

const now = Date.parse('2026-11-21T12:00:00Z');

describe('formatAge', () => {
  it.each([
    ['2026-11-21T12:00:00.123456789Z', 'just now'],
    ['2026-11-21T11:59:59Z', '1 second ago'],
    ['2026-11-21T13:58:00+02:00', '2 minutes ago'],
    ['2026-11-21T10:00:00Z', '2 hours ago'],
    ['2026-11-20T11:00:00Z', '1 day ago'],
    ['2026-11-08T12:00:00Z', '1 week ago'],
    ['2026-08-21T12:00:00Z', '3 months ago'],
    ['1970-01-01T00:00:00Z', '56 years ago'],
    ['2026-11-21T12:10:00Z', 'in 10 minutes'],
    ['0001-01-01T00:00:00Z', '-'],
    ['never', '-'],
  ])('%s is %s', (time, text) => {
    expect(formatAge(time, now)).toBe(text);
  });
});
