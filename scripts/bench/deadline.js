/** The time that was allowed is over; what is under way was ended. */
export class DeadlineOver extends Error {
  /** @override */
  name = 'DeadlineOver';

  constructor() {
    super('the time of --quick was over');
  }
}

/** By `Date.now()`. */
let deadline = Number.POSITIVE_INFINITY;

/**
 * From then on no program is started, and those that run are ended.
 *
 * @param {number} time milliseconds, by `Date.now()`
 */
export function setDeadline(time) {
  deadline = time;
}

/**
 * @returns {number | undefined} milliseconds that a program may run; undefined when there is no limit
 * @throws {DeadlineOver}
 */
export function remainingMs() {
  if (deadline === Number.POSITIVE_INFINITY) return undefined;
  const remaining = deadline - Date.now();
  if (remaining <= 0) throw new DeadlineOver();
  return Math.ceil(remaining);
}
