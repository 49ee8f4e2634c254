import type { OpenedLock } from './lockBackend.ts';
import { pause } from './pause.ts';
import { nextPollStep } from './pollSchedule.ts';

export interface PollOptions {
  readonly mode: 'read' | 'write';
  /** Whether {@link OpenedLock.tryLock} may be called in a tight loop. */
  readonly spins: boolean;
  readonly signal: AbortSignal;
}

/** Of all waiters in this thread, so that together they leave the event loop some time. */
let nextBurstAt = 0;

/** Asks for the lock until it is granted. Rejects with the signal's reason. */
export async function pollForLock(lock: OpenedLock, { mode, spins, signal }: PollOptions): Promise<void> {
  const start = performance.now();
  for (let tries = 1; !(await lock.tryLock(mode)); tries += 1) {
    const { burstMs, pauseMs } = nextPollStep(performance.now() - start, tries, Math.random());
    signal.throwIfAborted();
    if (spins && burstMs > 0 && (await burst(lock, mode, burstMs))) return;
    await pause(pauseMs, signal);
  }
}

async function burst(lock: OpenedLock, mode: 'read' | 'write', burstMs: number): Promise<boolean> {
  const start = performance.now();
  if (start < nextBurstAt) return false;
  nextBurstAt = start + 2 * burstMs;
  const end = start + burstMs;
  do {
    const locked = lock.tryLock(mode);
    if (locked === true || (locked !== false && (await locked))) return true;
  } while (performance.now() < end);
  return false;
}
