import { describe, expect, it } from 'vitest';
import { nextPollStep } from '../../src/locks/pollSchedule.ts';

describe('nextPollStep', () => {
  it('begins with 0.2 ms and grows to 20 ms', () => {
    expect(nextPollStep(0, 1, 1)).toEqual({ spinMs: 0, pauseMs: 0.2 });
    const pauses = Array.from({ length: 30 }, (_, tries) => nextPollStep(0, tries + 1, 1).pauseMs);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBe(20);
  });

  it('spreads waiters over half of a pause', () => {
    expect(nextPollStep(0, 100, 0).pauseMs).toBe(10);
    expect(nextPollStep(0, 100, 0.5).pauseMs).toBe(15);
  });

  it('asks harder the longer it waits, up to 5 s', () => {
    const share = (waitedMs: number) => {
      const { spinMs, pauseMs } = nextPollStep(waitedMs, 100, 1);
      return spinMs / (spinMs + pauseMs);
    };
    expect([0, 249, 250, 1000, 4999, 5000, 100_000].map(share)).toEqual([0, 0, 0.2, 0.5, 0.5, 0.05, 0.05]);
  });
});
