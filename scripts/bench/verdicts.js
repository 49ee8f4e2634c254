import { ratiosOf, spread } from './statistics.js';

/**
 * @typedef {import('./statistics.js').Spread} Spread
 */

/**
 * What the medians should not exceed.
 *
 * @typedef {object} Targets
 * @property {number} [wall] ratio
 * @property {number} [cpu] ratio
 * @property {number} [memoryMB] our own peak, in 10⁶ bytes
 * @property {number} [counts] each of what the scene counts
 */

/**
 * @typedef {object} Count
 * @property {string} what
 * @property {number} value
 */

/**
 * @typedef {object} Verdict
 * @property {string} measure `wall`, `cpu`, `memory`, or what was counted
 * @property {string} unit behind the numbers; empty for ratios
 * @property {number} limit that the median should not exceed
 * @property {Spread} found
 * @property {boolean} met
 */

/**
 * @param {Pick<import('./report.js').SceneResult, 'targets' | 'pairs' | 'units' | 'counts'>} result
 * @returns {Verdict[]} one per target
 */
export function verdicts({ targets, pairs, units, counts = [] }) {
  const ratios = ratiosOf(pairs, units);
  const memory = spread(pairs.map(({ ours }) => ours.peakBytes / 1e6));
  return [
    ...judge('wall', { unit: '', limit: targets.wall, found: ratios.wall }),
    ...judge('cpu', { unit: '', limit: targets.cpu, found: ratios.cpu }),
    ...judge('memory', { unit: 'MB', limit: targets.memoryMB, found: memory }),
    ...counts.flatMap(({ what, value }) =>
      judge(what, { unit: '×', limit: targets.counts, found: spread([value]) }),
    ),
  ];
}

/**
 * @param {string} measure
 * @param {{ unit: string, limit: number | undefined, found: Spread }} facts
 * @returns {Verdict[]} none without a limit
 */
function judge(measure, { unit, limit, found }) {
  if (limit === undefined) return [];
  return [{ measure, unit, limit, found, met: found.median <= limit }];
}

/**
 * @param {Pick<Verdict, 'unit'>} verdict
 * @param {number} value
 */
export function formatVerdictValue({ unit }, value) {
  if (unit === '') return value.toFixed(2);
  return `${value.toFixed(0)} ${unit}`;
}

/** @param {Verdict} verdict */
export function formatLimit(verdict) {
  return `≤ ${formatVerdictValue(verdict, verdict.limit)}`;
}
