import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/commandLine/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['90m', 5_400_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', '-1h', '1.5h', '1w', 'h', '1h 2m'])('refuses "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(/number with a unit/);
  });
});
