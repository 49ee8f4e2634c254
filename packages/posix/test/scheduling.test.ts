import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sleepMicroseconds, withRealtimePriority } from '../src/index.ts';
import { isRoot } from './support/tempDir.ts';

/** Real-time priority and policy of this thread (proc_pid_stat(5), fields 40 and 41). */
function scheduling(): string {
  const stat = readFileSync('/proc/thread-self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return `${fields[37]} ${fields[38]}`;
}

describe.skipIf(!isRoot)('withRealtimePriority (needs root)', () => {
  it('lasts as long as the function', () => {
    expect(scheduling()).toBe('0 0');
    expect(withRealtimePriority(scheduling)).toBe('1 1');
    expect(scheduling()).toBe('0 0');
  });

  it('ends with an exception too', () => {
    const fail = () => {
      throw new Error('mine');
    };
    expect(() => withRealtimePriority(fail)).toThrow('mine');
    expect(scheduling()).toBe('0 0');
  });

  it('can be nested', () => {
    expect(withRealtimePriority(() => withRealtimePriority(scheduling))).toBe('1 1');
    expect(scheduling()).toBe('0 0');
  });
});

describe.skipIf(process.platform !== 'linux')('sleepMicroseconds (needs Linux)', () => {
  it('sleeps at least that long', () => {
    const start = performance.now();
    sleepMicroseconds(3000);
    expect(performance.now() - start).toBeGreaterThanOrEqual(3);
  });
});
