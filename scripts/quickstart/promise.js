/** A thing that the quickstart says and that then was not so. */
export class BrokenPromise extends Error {}

/**
 * What is shown must be true.
 *
 * @param {unknown} condition
 * @param {string} statement what should have been the case
 * @returns {asserts condition}
 */
export function promise(condition, statement) {
  if (!condition) throw new BrokenPromise(`this should hold, but does not: ${statement}`);
}
