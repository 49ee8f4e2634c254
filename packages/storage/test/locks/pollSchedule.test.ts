import { describe, expect, it } from 'vitest';
import { nextPollStep } from '../../src/locks/pollSchedule.ts';

describe('nextPollStep', () => {
  it('begins with 0.2 ms and grows to 20 ms', () => {
    expect(nextPollStep(0, 1, 1)).toEqual({ burstMs: 0, pauseMs: 0.2 });
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
      const { burstMs, pauseMs } = nextPollStep(waitedMs, 100, 1);
      return burstMs / (burstMs + pauseMs);
    };
    expect([0, 499, 600, 2000, 4999].map(share)).toEqual([0, 0, 0.2, 2 / 3, 2 / 3]);
    const later = Array.from({ length: 1000 }, (_, ms) => share(60_000 + ms));
    expect(later.filter((value) => value > 0)).toHaveLength(50);
  });
});
