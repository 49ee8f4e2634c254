import { describe, expect, it } from 'vitest';
import { formatBytes, formatSize } from '../../src/output/bytes.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [45_777, '45.8 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [1_234_567, '1.23 MB'],
    [9_995_000, '10 MB'],
    [104_857_600, '105 MB'],
    [Number.MAX_SAFE_INTEGER, '9.01 PB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('prints a dash for a size that is not known', () => {
    expect(formatSize(undefined)).toBe('-');
  });
});
