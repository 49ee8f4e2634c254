/**
 * How to wait for a lock that another process holds. The kernel is only asked whether the lock is free
 * ("polled"): often at first, then with pauses of up to 20 ms. A process that locks again right after
 * it unlocked leaves gaps of some microseconds, which pauses would miss for ever. So when waiting gets
 * long, parts of it are spent asking without a pause; after five seconds, when this is likely to be one
 * long hold, a small part.
 */
export interface PollStep {
  /** Ask without a pause for so long first. */
  readonly spinMs: number;
  readonly pauseMs: number;
}

interface Phase {
  readonly fromMs: number;
  readonly step: PollStep;
}

const FIRST_PAUSE_MS = 0.2;
const LONGEST_PAUSE_MS = 20;
const GROWTH = 1.5;

/** Latest first. */
const LONG_WAITING: readonly Phase[] = [
  { fromMs: 5000, step: { spinMs: 1, pauseMs: 19 } },
  { fromMs: 1000, step: { spinMs: 2, pauseMs: 2 } },
  { fromMs: 250, step: { spinMs: 1, pauseMs: 4 } },
];

/**
 * @param waitedMs since the first refusal
 * @param refusals so far, at least one
 * @param random from 0 to 1, so that several waiters do not ask in step
 */
export function nextPollStep(waitedMs: number, refusals: number, random: number): PollStep {
  const phase = LONG_WAITING.find(({ fromMs }) => waitedMs >= fromMs);
  if (phase !== undefined) return phase.step;
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * GROWTH ** (refusals - 1));
  return { spinMs: 0, pauseMs: pauseMs * (0.5 + random / 2) };
}
