import { ratiosOf } from './statistics.js';
import { verdicts } from './verdicts.js';

/**
 * @typedef {import('./report.js').SceneResult} SceneResult
 * @typedef {import('./report.js').NotMeasured} NotMeasured
 * @typedef {SceneResult & { ratios: import('./statistics.js').Ratios, verdicts: import('./verdicts.js').Verdict[] }} JsonScene
 */

/**
 * How and where a run was made.
 *
 * @typedef {object} Circumstances
 * @property {string} date when it ended
 * @property {number} seconds that it took, images included
 * @property {Record<string, string | number>} machine
 * @property {Record<string, string>} versions of the peers
 * @property {Record<string, string>} methods
 * @property {{ rounds: number, quick: boolean, targets: boolean, scenes: readonly string[] }} options
 * @property {string | undefined} base what the base system is made of
 * @property {string} medium type of the file system that the files of stores lie on
 */

/**
 * @typedef {Circumstances & { scenes: JsonScene[], notMeasured: NotMeasured[], failed: NotMeasured[], exitStatus: number }} JsonReport
 */

/**
 * @typedef {object} Outcome
 * @property {readonly SceneResult[]} results
 * @property {readonly NotMeasured[]} notMeasured
 * @property {readonly NotMeasured[]} failed
 */

/**
 * @param {Circumstances} circumstances
 * @param {Outcome} outcome
 * @returns {JsonReport} every sample, and what follows from them
 */
export function jsonReport(circumstances, { results, notMeasured, failed }) {
  return {
    ...circumstances,
    scenes: results.map((result) => ({
      ...result,
      ratios: ratiosOf(result.pairs, result.units),
      verdicts: verdicts(result),
    })),
    notMeasured: [...notMeasured],
    failed: [...failed],
    exitStatus: exitStatus({ results, notMeasured, failed }),
  };
}

/**
 * @param {Outcome} outcome
 * @returns {number} 1 when ours failed or something proved to be wrong, whatever the targets
 */
export function exitStatus({ results, failed }) {
  return failed.length > 0 || results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}
