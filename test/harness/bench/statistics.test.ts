import { describe, expect, it } from 'vitest';
import { median, ratiosOf, type Sample, spread } from '../../../scripts/bench/statistics.js';

const sample = (wallMs: number, cpuMs = 1, peakBytes = 1): Sample => ({ wallMs, cpuMs, peakBytes });

describe('median', () => {
  it('is the middle one, or the mean of two, whatever their order', () => {
    expect(median([30, 1, 2])).toBe(2);
    expect(median([4, 1, 30, 2])).toBe(3);
    expect(median([10, 9, 100])).toBe(10);
  });

  it('refuses to make a number out of none', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('spread', () => {
  it('has the extremes', () => {
    expect(spread([3, 1, 2, 9])).toEqual({ median: 2.5, min: 1, max: 9 });
  });
});

describe('ratiosOf', () => {
  it('compares within each pair before it takes the median', () => {
    // the machine was ten times slower during the second pair
    const pairs = [
      { ours: sample(1), peer: sample(2) },
      { ours: sample(10), peer: sample(20) },
      { ours: sample(3), peer: sample(2) },
    ];
    expect(ratiosOf(pairs).wall).toEqual({ median: 0.5, min: 0.5, max: 1.5 });
  });

  it('divides times by the work that was done, and not memory', () => {
    const pairs = [{ ours: sample(100, 50, 6), peer: sample(10, 10, 3) }];
    const { wall, cpu, memory } = ratiosOf(pairs, { name: 'file', ours: 1000, peer: 100 });
    expect([wall.median, cpu.median, memory.median]).toEqual([1, 0.5, 2]);
  });

  it('does so for processor time and memory', () => {
    const pairs = [{ ours: sample(1, 30, 400), peer: sample(1, 60, 100) }];
    const { cpu, memory } = ratiosOf(pairs);
    expect([cpu.median, memory.median]).toEqual([0.5, 4]);
  });
});
