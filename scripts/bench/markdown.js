import { formatLoad, isBusy } from './machineLoad.js';
import { formatAmount, formatPerUnit, formatSpread } from './report.js';
import { median, SAMPLE_FIELDS } from './statistics.js';
import { formatLimit, formatVerdictValue } from './verdicts.js';

/**
 * @typedef {import('./jsonReport.js').JsonReport} JsonReport
 * @typedef {import('./jsonReport.js').JsonScene} JsonScene
 */

/**
 * The results of a run as tables for docs/performance.md.
 *
 * @param {JsonReport} report
 * @returns {string[]} lines
 */
export function markdownOf(report) {
  const [scaled, paired] = divide(report.scenes, ({ units }) => units !== undefined);
  return [
    ...circumstances(report),
    '',
    ...(paired.length === 0 ? [] : pairedTable(paired)),
    ...(scaled.length === 0 ? [] : ['', ...scaledTable(scaled)]),
    '',
    ...targetTable(report.scenes),
    ...listOf('Not measured', report.notMeasured),
    ...listOf('Failed', report.failed),
  ];
}

/** @param {JsonReport} report */
function circumstances({ date, machine, versions, options, base, medium, seconds, scenes }) {
  const busy = scenes.filter(({ load }) => isBusy(load)).map(({ name }) => `\`${name}\``);
  const programs = Object.entries(versions).map(([name, version]) => `${name}: ${version}`);
  const rounds = options.rounds === 1 ? 'one pair' : `${options.rounds} pairs`;
  return [
    `${date.slice(0, 10)}; ${Object.entries(machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ')}; ${programs.join('; ')}.`,
    `Stores in ext4 over a loop device; its file lies on ${medium}. Base system: ${base ?? 'not used'}. At least ${rounds} ` +
      `per scene; ${Math.round(seconds / 60)} minutes. Ratios are medians (min–max).`,
    ...(busy.length === 0 ? [] : [`The machine was busy with other work during ${busy.join(', ')}.`]),
    ...scenes.flatMap(({ name, failures }) =>
      failures.map((failure) => `**Wrong** in \`${name}\`: ${failure}.`),
    ),
  ];
}

/** @param {readonly JsonScene[]} scenes */
function pairedTable(scenes) {
  const rows = scenes.map(({ name, pairs, ratios, load }) => [
    `\`${name}\``,
    ...sides(pairs, 'wallMs'),
    formatSpread(ratios.wall),
    formatSpread(ratios.cpu),
    ...sides(pairs, 'peakBytes'),
    formatLoad(load),
  ]);
  return table(
    ['scene', 'ours', 'other', 'wall ratio', 'cpu ratio', 'our memory', 'other’s', 'machine meanwhile'],
    rows,
  );
}

/** @param {readonly JsonScene[]} scenes */
function scaledTable(scenes) {
  const rows = scenes.map(({ name, ours, peer, pairs, units, ratios, load }) => {
    /** @param {'ours' | 'peer'} side */
    const perUnit = (side) =>
      units === undefined ? '' : formatPerUnit(middle(pairs, side, SAMPLE_FIELDS.wall), side, units);
    return [
      `\`${name}\``,
      ...[`${ours}: ${perUnit('ours')}`, `${peer}: ${perUnit('peer')}`],
      formatSpread(ratios.wall),
      formatSpread(ratios.cpu),
      ...sides(pairs, 'peakBytes'),
      formatLoad(load),
    ];
  });
  return table(
    ['scene', 'more', 'less', 'wall ratio', 'cpu ratio', 'memory, more', 'less', 'machine meanwhile'],
    rows,
  );
}

/** @param {readonly JsonScene[]} scenes */
function targetTable(scenes) {
  const rows = scenes.flatMap(({ name, verdicts }) =>
    verdicts.map((verdict) => [
      `\`${name}\``,
      verdict.measure,
      formatLimit(verdict),
      ...[verdict.found.median, verdict.found.min, verdict.found.max].map((value) =>
        formatVerdictValue(verdict, value),
      ),
      verdict.met ? 'met' : '**missed**',
    ]),
  );
  if (rows.length === 0) return [];
  return table(['scene', 'measure', 'target', 'median', 'min', 'max', ''], rows);
}

/**
 * @param {JsonScene['pairs']} pairs
 * @param {import('./statistics.js').SampleField} field
 */
function sides(pairs, field) {
  return /** @type {const} */ (['ours', 'peer']).map((side) =>
    formatAmount(field, middle(pairs, side, field)),
  );
}

/**
 * @param {JsonScene['pairs']} pairs
 * @param {'ours' | 'peer'} side
 * @param {import('./statistics.js').SampleField} field
 */
function middle(pairs, side, field) {
  return median(pairs.map((pair) => pair[side][field]));
}

/**
 * @param {string} title
 * @param {readonly import('./report.js').NotMeasured[]} items
 */
function listOf(title, items) {
  if (items.length === 0) return [];
  return ['', `${title}:`, '', ...items.map(({ name, reason }) => `- \`${name}\`: ${reason}`)];
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => boolean} isFirst
 * @returns {[T[], T[]]}
 */
function divide(items, isFirst) {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
