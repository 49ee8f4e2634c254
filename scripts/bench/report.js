import { formatLoad, isBusy } from './machineLoad.js';
import { median, ratiosOf, SAMPLE_FIELDS } from './statistics.js';
import { formatLimit, formatVerdictValue, verdicts } from './verdicts.js';

/**
 * @typedef {import('./statistics.js').Pair} Pair
 * @typedef {import('./statistics.js').Sample} Sample
 * @typedef {import('./statistics.js').Spread} Spread
 * @typedef {import('./statistics.js').Units} Units
 * @typedef {import('./verdicts.js').Targets} Targets
 * @typedef {import('./verdicts.js').Count} Count
 * @typedef {import('./machineLoad.js').MachineLoad} MachineLoad
 */

/**
 * @typedef {object} SceneResult
 * @property {string} name
 * @property {string} summary
 * @property {string} ours what ran on our side
 * @property {string} peer
 * @property {Targets} targets
 * @property {readonly Pair[]} pairs at least one
 * @property {Units} [units] what times are divided by in ratios
 * @property {readonly Count[]} [counts]
 * @property {MachineLoad} load while it was measured
 * @property {number} seconds that all of it took, preparations and comparisons too
 * @property {readonly string[]} proven what was made sure besides the times
 * @property {readonly string[]} failures what proved to be wrong
 */

/** @typedef {{ name: string, reason: string }} NotMeasured */

/**
 * The report on one scene, for people.
 *
 * @param {SceneResult} result
 * @returns {string[]} lines
 */
export function sceneReport(result) {
  const { name, summary, ours, peer, pairs, units, proven, failures, load, seconds } = result;
  const count = pairs.length === 1 ? 'of 1 pair' : `of ${pairs.length} pairs`;
  const head = ['', ours, peer, `ratio ${count} (min–max)${units ? `, times per ${units.name}` : ''}`, ''];
  return [
    `${name}: ${summary}`,
    ...alignColumns([head, ...measureRows(result)]).map((line) => `  ${line}`),
    ...(result.counts ?? []).map(({ what, value }) => `  ${what}: ${value}`),
    ...proven.map((fact) => `  ok: ${fact}`),
    ...failures.map((fact) => `  WRONG: ${fact}`),
    `  machine${isBusy(load) ? ' BUSY with other work' : ''}: ${formatLoad(load)}; took ${seconds.toFixed(0)} s`,
  ];
}

/** @param {SceneResult} result */
function measureRows(result) {
  const { pairs, units } = result;
  const ratios = ratiosOf(pairs, units);
  const found = verdicts(result);
  return /** @type {const} */ (['wall', 'cpu', 'memory']).map((measure) => {
    const field = SAMPLE_FIELDS[measure];
    const verdict = found.find((one) => one.measure === measure);
    /** @param {'ours' | 'peer'} side */
    const amount = (side) => {
      const value = median(pairs.map((pair) => pair[side][field]));
      const perUnit =
        units === undefined || measure === 'memory' ? '' : `, ${formatPerUnit(value, side, units)}`;
      return `${formatAmount(field, value)}${perUnit}`;
    };
    return [
      measure,
      amount('ours'),
      amount('peer'),
      formatSpread(ratios[measure]),
      verdict === undefined ? '' : `target ${formatLimit(verdict)}: ${verdict.met ? 'met' : 'MISSED'}`,
    ];
  });
}

/**
 * @param {number} ms
 * @param {'ours' | 'peer'} side
 * @param {Units} units
 */
export function formatPerUnit(ms, side, units) {
  return `${((ms * 1000) / units[side]).toFixed(0)} µs/${units.name}`;
}

/**
 * What was found in all scenes, what was not measured, and how it ended.
 *
 * @param {readonly SceneResult[]} results
 * @param {readonly NotMeasured[]} notMeasured
 * @returns {string[]} lines
 */
export function summary(results, notMeasured) {
  const wrong = results.filter(({ failures }) => failures.length > 0).map(({ name }) => name);
  const busy = results.filter(({ load }) => isBusy(load)).map(({ name }) => name);
  return [
    ...ratioTable(results),
    ...targetTable(results),
    ...notMeasured.map(({ name, reason }) => `${name}: not measured: ${reason}`),
    ...(busy.length === 0 ? [] : [`bench: the machine was busy with other work during: ${busy.join(', ')}`]),
    wrong.length > 0
      ? `bench: WRONG: ${wrong.join(', ')}`
      : `bench: ${results.length === 0 ? 'nothing was measured' : 'all that was compared is equal'}`,
  ];
}

/** @param {readonly SceneResult[]} results */
function ratioTable(results) {
  const rows = results.map((result) => {
    const ratios = ratiosOf(result.pairs, result.units);
    return [
      result.name,
      formatSpread(ratios.wall),
      formatSpread(ratios.cpu),
      formatSpread(ratios.memory),
      result.failures.length > 0 ? 'WRONG' : '',
    ];
  });
  const head = ['scene', 'wall ratio', 'cpu ratio', 'memory ratio', ''];
  return results.length === 0 ? [] : [...alignColumns([head, ...rows]), ''];
}

/** @param {readonly SceneResult[]} results */
function targetTable(results) {
  const all = results.flatMap((result) =>
    verdicts(result).map((verdict) => ({ name: result.name, verdict })),
  );
  if (all.length === 0) return [];
  const rows = all.map(({ name, verdict }) => [
    name,
    verdict.measure,
    formatLimit(verdict),
    ...[verdict.found.median, verdict.found.min, verdict.found.max].map((value) =>
      formatVerdictValue(verdict, value),
    ),
    verdict.met ? 'pass' : 'MISS',
  ]);
  const missed = all.filter(({ verdict }) => !verdict.met).length;
  return [
    ...alignColumns([['scene', 'measure', 'target', 'median', 'min', 'max', ''], ...rows]),
    `targets: ${all.length - missed} of ${all.length} met${missed > 0 ? `, ${missed} MISSED` : ''}`,
    '',
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
export function formatTargets({ wall, cpu, memoryMB, counts }) {
  return [
    ...(wall === undefined ? [] : [`wall ≤ ${wall}`]),
    ...(cpu === undefined ? [] : [`cpu ≤ ${cpu}`]),
    ...(memoryMB === undefined ? [] : [`memory ≤ ${memoryMB} MB`]),
    ...(counts === undefined ? [] : [`counts ≤ ${counts}`]),
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
