import { describe, expect, it } from 'vitest';
import {
  formatLoad,
  isBusy,
  processorTimes,
  summarizeLoad,
  watchMachine,
} from '../../../scripts/bench/machineLoad.js';

describe('processorTimes', () => {
  it('adds what programs and the kernel used, in milliseconds', () => {
    const text = 'cpu  100 20 30 4000 500 6 7 80 9 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n';
    expect(processorTimes(text)).toEqual({ busyMs: 1630, stolenMs: 800 });
  });

  it('reads those of this machine', () => {
    expect(processorTimes().busyMs).toBeGreaterThan(0);
  });
});

describe('load', () => {
  it('is the share of all processors over all runs', () => {
    const runs = [
      { capacityMs: 1000, stolenMs: 10, othersMs: 100 },
      { capacityMs: 3000, stolenMs: 10, othersMs: 300 },
    ];
    const load = summarizeLoad(runs, 2.34);
    expect(load).toEqual({ loadAverage: 2.34, stolen: 0.005, others: 0.1 });
    expect(isBusy(load)).toBe(false);
    expect(formatLoad(load)).toBe('load average 2.3, stolen 1 %, others 10 %');
  });

  it('is busy when a part is stolen or used by others', () => {
    expect(isBusy({ loadAverage: 0, stolen: 0.06, others: 0 })).toBe(true);
    expect(isBusy({ loadAverage: 0, stolen: 0, others: 0.2 })).toBe(true);
  });

  it('does not count what was measured', () => {
    const { othersMs, stolenMs, capacityMs } = watchMachine()({ wallMs: 100, cpuMs: 1e9 });
    expect(othersMs).toBe(0);
    expect(stolenMs).toBeGreaterThanOrEqual(0);
    expect(capacityMs).toBeGreaterThanOrEqual(100);
  });
});
