import type { OpenedLock } from './lockBackend.ts';
import { pause } from './pause.ts';
import { nextPollStep } from './pollSchedule.ts';

/** Waiters of one thread spin in turns, so that they leave the event loop some time. */
let nextSpinAt = 0;

/** Asks for the lock until it is granted. Rejects with the signal's reason. */
export async function pollForLock(
  lock: OpenedLock,
  mode: 'read' | 'write',
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now();
  for (let tries = 1; !(await lock.tryLock(mode)); tries += 1) {
    signal.throwIfAborted();
    const now = performance.now();
    const { spinMs, pauseMs } = nextPollStep(now - start, tries, Math.random());
    if (spinMs > 0 && now >= nextSpinAt) {
      nextSpinAt = now + spinMs + pauseMs;
      if (lock.spin?.(mode, spinMs) === true) return;
    }
    await pause(pauseMs, signal);
  }
}
