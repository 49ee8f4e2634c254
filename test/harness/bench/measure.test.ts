import { describe, expect, it } from 'vitest';
import { parseUsage } from '../../../scripts/bench/measure.js';
import { residentBytes } from '../../../scripts/bench/memoryWatch.js';

describe('parseUsage', () => {
  it('adds user and system time', () => {
    expect(parseUsage('1.25 0.50 2048\n')).toEqual({ cpuMs: 1750, peakBytes: 2048 * 1024 });
  });

  it('takes a time below the resolution as the smallest one', () => {
    expect(parseUsage('0.00 0.00 1\n').cpuMs).toBe(10);
  });

  it('makes no number out of something else', () => {
    expect(() => parseUsage('Command terminated by signal 9\n')).toThrow(/GNU time wrote/);
    expect(() => parseUsage('')).toThrow(/GNU time wrote/);
  });
});

describe('residentBytes', () => {
  it('reads the resident size', () => {
    expect(residentBytes('Name:\tskopeo\nVmHWM:\t  200 kB\nVmRSS:\t    12 kB\n')).toBe(12 * 1024);
  });

  it('counts neither processes that have ended nor the program that takes the time', () => {
    expect(residentBytes('')).toBe(0);
    expect(residentBytes('Name:\tskopeo\nState:\tZ (zombie)\n')).toBe(0);
    expect(residentBytes('Name:\ttime\nVmRSS:\t    12 kB\n')).toBe(0);
  });
});
