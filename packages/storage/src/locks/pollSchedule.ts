/**
 * How to wait for a lock that another process holds. The kernel is only asked whether the lock is free
 * ("polled"): often at first, then with pauses of up to 20 ms. A process that locks again right after
 * it unlocked leaves gaps of some microseconds, which pauses would miss for ever. So when waiting gets
 * long, parts of it are spent asking without a pause; after five seconds, when this must be one long
 * hold, only now and then.
 */
export interface PollStep {
  readonly pauseMs: number;
  /** Ask without a pause for so long first. */
  readonly burstMs: number;
}

const FIRST_PAUSE_MS = 0.2;
const LONGEST_PAUSE_MS = 20;
const GROWTH = 1.5;

interface Phase {
  readonly untilMs: number;
  readonly step: PollStep;
}

const URGENT: readonly Phase[] = [
  { untilMs: 1500, step: { burstMs: 1, pauseMs: 4 } },
  { untilMs: 5000, step: { burstMs: 2, pauseMs: 1 } },
];
const CALM_MS = 500;
const LATE_PERIOD_MS = 1000;
const LATE_BURSTS_MS = 50;
const LATE_STEP: PollStep = { burstMs: 2, pauseMs: 1 };

/**
 * @param waitedMs since the first try
 * @param tries that failed
 * @param random from 0 to 1, so that several waiters do not ask in step
 */
export function nextPollStep(waitedMs: number, tries: number, random: number): PollStep {
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * GROWTH ** (tries - 1)) * (0.5 + random / 2);
  const calm = { burstMs: 0, pauseMs };
  if (waitedMs < CALM_MS) return calm;
  const phase = URGENT.find(({ untilMs }) => waitedMs < untilMs);
  if (phase !== undefined) return phase.step;
  return waitedMs % LATE_PERIOD_MS < LATE_BURSTS_MS ? LATE_STEP : calm;
}
