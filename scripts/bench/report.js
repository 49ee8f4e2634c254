import { median, ratiosOf, SAMPLE_FIELDS } from './statistics.js';

/**
 * @typedef {import('./statistics.js').Pair} Pair
 * @typedef {import('./statistics.js').Sample} Sample
 * @typedef {import('./statistics.js').Spread} Spread
 * @typedef {import('./statistics.js').Ratios} Ratios
 */

/**
 * What the medians should not exceed.
 *
 * @typedef {object} Targets
 * @property {number} [wall] ratio
 * @property {number} [cpu] ratio
 * @property {number} [memoryMB] our own peak, in 10⁶ bytes
 */

/**
 * @typedef {object} SceneResult
 * @property {string} name
 * @property {string} summary
 * @property {string} ours what ran on our side
 * @property {string} peer
 * @property {Targets} targets
 * @property {readonly Pair[]} pairs at least one
 * @property {readonly string[]} proven what was made sure besides the times
 * @property {readonly string[]} failures what proved to be wrong
 */

/** @typedef {{ name: string, reason: string }} NotMeasured */
/** @typedef {{ measure: 'wall' | 'cpu' | 'memory', limit: string, met: boolean }} Verdict */

/**
 * @param {SceneResult} result
 * @returns {Verdict[]} one per target
 */
export function verdicts({ targets, pairs }) {
  const ratios = ratiosOf(pairs);
  /** @type {Verdict[]} */
  const all = [];
  for (const measure of /** @type {const} */ (['wall', 'cpu'])) {
    const limit = targets[measure];
    if (limit === undefined) continue;
    all.push({ measure, limit: `≤ ${limit.toFixed(2)}`, met: ratios[measure].median <= limit });
  }
  if (targets.memoryMB !== undefined) {
    const peak = median(pairs.map(({ ours }) => ours.peakBytes));
    all.push({ measure: 'memory', limit: `≤ ${targets.memoryMB} MB`, met: peak <= targets.memoryMB * 1e6 });
  }
  return all;
}

/**
 * The report on one scene, for people.
 *
 * @param {SceneResult} result
 * @returns {string[]} lines
 */
export function sceneReport(result) {
  const { name, summary, ours, peer, pairs, proven, failures } = result;
  const ratios = ratiosOf(pairs);
  const found = verdicts(result);
  const rows = /** @type {const} */ (['wall', 'cpu', 'memory']).map((measure) => {
    const field = SAMPLE_FIELDS[measure];
    const verdict = found.find((one) => one.measure === measure);
    return [
      measure,
      formatAmount(field, median(pairs.map((pair) => pair.ours[field]))),
      formatAmount(field, median(pairs.map((pair) => pair.peer[field]))),
      formatSpread(ratios[measure]),
      verdict === undefined ? '' : `target ${verdict.limit}: ${verdict.met ? 'met' : 'MISSED'}`,
    ];
  });
  const count = pairs.length === 1 ? 'of 1 pair' : `of ${pairs.length} pairs`;
  return [
    `${name}: ${summary}`,
    ...alignColumns([['', ours, peer, `ratio ${count} (min–max)`, ''], ...rows]).map((line) => `  ${line}`),
    ...proven.map((fact) => `  ok: ${fact}`),
    ...failures.map((fact) => `  WRONG: ${fact}`),
  ];
}

/**
 * One line per scene, what was not measured, and how it ended.
 *
 * @param {readonly SceneResult[]} results
 * @param {readonly NotMeasured[]} notMeasured
 * @returns {string[]} lines
 */
export function summary(results, notMeasured) {
  const rows = results.map((result) => {
    const ratios = ratiosOf(result.pairs);
    const all = verdicts(result);
    const missed = all.filter(({ met }) => !met).map(({ measure, limit }) => `${measure} ${limit}`);
    const targets = all.length === 0 ? '' : missed.length === 0 ? 'met' : `MISSED: ${missed.join(', ')}`;
    return [
      result.name,
      formatSpread(ratios.wall),
      formatSpread(ratios.cpu),
      formatSpread(ratios.memory),
      result.failures.length > 0 ? `WRONG ${targets}` : targets,
    ];
  });
  const head = ['scene', 'wall ratio', 'cpu ratio', 'memory ratio', 'targets'];
  const wrong = results.filter(({ failures }) => failures.length > 0).map(({ name }) => name);
  return [
    ...(results.length === 0 ? [] : alignColumns([head, ...rows])),
    ...notMeasured.map(({ name, reason }) => `${name}: not measured: ${reason}`),
    wrong.length > 0
      ? `bench: WRONG: ${wrong.join(', ')}`
      : `bench: ${results.length === 0 ? 'nothing was measured' : 'all that was compared is equal'}`,
  ];
}

/**
 * @param {keyof Sample} field
 * @param {number} value
 */
export function formatAmount(field, value) {
  if (field === 'peakBytes') return `${(value / 1e6).toFixed(0)} MB`;
  return value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** @param {Spread} spread of ratios */
export function formatSpread({ median: middle, min, max }) {
  return `${middle.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

/** @param {Targets} targets */
export function formatTargets({ wall, cpu, memoryMB }) {
  return [
    ...(wall === undefined ? [] : [`wall ≤ ${wall}`]),
    ...(cpu === undefined ? [] : [`cpu ≤ ${cpu}`]),
    ...(memoryMB === undefined ? [] : [`memory ≤ ${memoryMB} MB`]),
  ].join(', ');
}

/**
 * @param {string[][]} rows
 * @returns {string[]} lines
 */
export function alignColumns(rows) {
  const widths = rows.reduce(
    (all, row) => row.map((cell, i) => Math.max(cell.length, all[i] ?? 0)),
    /** @type {number[]} */ ([]),
  );
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
