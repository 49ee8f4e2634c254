import type { OpenedLock } from './lockBackend.ts';
import { pause } from './pause.ts';
import { nextPollStep } from './pollSchedule.ts';

/** Waiters of one thread spin in turns, so that they leave the event loop some time. */
let nextSpinAt = 0;

/** Asks for a lock, which was just refused, until it is granted. Rejects with the signal's reason. */
export async function pollForLock(
  lock: OpenedLock,
  mode: 'read' | 'write',
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now();
  for (let refusals = 1; ; refusals += 1) {
    const now = performance.now();
    const { spinMs, pauseMs } = nextPollStep(now - start, refusals, Math.random());
    if (spinMs > 0 && now >= nextSpinAt) {
      nextSpinAt = now + spinMs + pauseMs;
      if (lock.spin?.(mode, spinMs) === true) return;
    }
    await pause(pauseMs, signal);
    if (await lock.tryLock(mode)) return;
  }
}
