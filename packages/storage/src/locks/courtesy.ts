/** Use of a lock with shorter breaks than this counts as uninterrupted. */
const BREAK_MS = 1;
const STREAK_MS = 100;

/** How long a lock should be left alone when {@link Courtesy.begin} says so. */
export const COURTESY_MS = 2;

/**
 * Lets other programs in. The kernel wakes a program that waits for a lock when it is released, but whoever
 * locks again at once is faster. So after a tenth of a second of uninterrupted use the lock is left alone
 * for a moment.
 */
export class Courtesy {
  #streakStart = 0;
  #lastRelease = Number.NEGATIVE_INFINITY;

  /** To be called before the file is locked: whether others should have a chance first. */
  begin(): boolean {
    const now = performance.now();
    const isNewStreak = now - this.#lastRelease > BREAK_MS;
    const isDue = !isNewStreak && now - this.#streakStart > STREAK_MS;
    if (isNewStreak || isDue) this.#streakStart = now;
    return isDue;
  }

  /** To be called when the file was unlocked. */
  released(): void {
    this.#lastRelease = performance.now();
  }
}
