import { errnoCode } from '@sediment/core';
import { openFileLimit, sleepMicroseconds } from '@sediment/posix';

/** So much of the limit may go to files that stay open only because it is faster; the rest is for what must be opened. */
const SHARE = 0.75;
/** How long others are given to close something, when this thread has nothing more to close: 50 times 20 ms. */
const ATTEMPTS = 50;
const PAUSE_MICROSECONDS = 20_000;

let threshold: number | undefined;

/**
 * Whether so many descriptors are in use in this process, by us or by others, that this one should be closed soon. The
 * kernel gives the lowest number that is free: all below it are taken.
 */
export function isScarce(fd: number): boolean {
  threshold ??= Math.floor(openFileLimit() * SHARE);
  return fd >= threshold;
}

/**
 * Calls `attempt` again as long as the process or the system has too many open files, and `makeRoom` before. All threads
 * may be at the limit together, so that goes on for a second.
 *
 * @param attempt may be repeated after it has failed with EMFILE or ENFILE
 * @param makeRoom closes what it can; may throw, to stop
 */
export function withDescriptorRoom<T>(attempt: () => T, makeRoom: () => void): T {
  for (let failures = 0; ; ) {
    try {
      return attempt();
    } catch (error) {
      const code = errnoCode(error);
      if ((code !== 'EMFILE' && code !== 'ENFILE') || ++failures > ATTEMPTS) throw error;
    }
    makeRoom();
    if (failures > 1) sleepMicroseconds(PAUSE_MICROSECONDS);
  }
}
