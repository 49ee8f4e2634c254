/**
 * What one run took.
 *
 * @typedef {object} Sample
 * @property {number} wallMs
 * @property {number} cpuMs user and system time of all processes
 * @property {number} peakBytes memory
 */

/** @typedef {{ ours: Sample, peer: Sample }} Pair two runs, one right after the other */
/**
 * Amounts of work, where those of the two sides differ.
 *
 * @typedef {object} Units
 * @property {string} name of one of them
 * @property {number} ours
 * @property {number} peer
 */
/** @typedef {{ median: number, min: number, max: number }} Spread */
/** @typedef {{ wall: Spread, cpu: Spread, memory: Spread }} Ratios ours divided by the peer's; times by unit, if any */

/** @typedef {'wallMs' | 'cpuMs' | 'peakBytes'} SampleField */

/** @type {Record<keyof Ratios, SampleField>} */
export const SAMPLE_FIELDS = { wall: 'wallMs', cpu: 'cpuMs', memory: 'peakBytes' };

/** @type {Units} */
const EQUAL_WORK = { name: 'run', ours: 1, peer: 1 };

/**
 * @param {readonly number[]} values at least one
 * @returns {number} the middle one, or the mean of the two in the middle
 */
export function median(values) {
  if (values.length === 0) throw new RangeError('median: no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = /** @type {number} */ (sorted[middle]);
  return sorted.length % 2 === 1 ? upper : /** @type {number} */ (sorted[middle - 1] + upper) / 2;
}

/**
 * @param {readonly number[]} values at least one
 * @returns {Spread}
 */
export function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The spread of the ratios of pairs, not the ratio of two medians: what the machine did meanwhile hits both
 * runs of a pair alike.
 *
 * @param {readonly Pair[]} pairs at least one
 * @param {Units} [units] that times are divided by; memory is not
 * @returns {Ratios}
 */
export function ratiosOf(pairs, units = EQUAL_WORK) {
  /** @param {keyof Sample} field */
  const ratio = (field) => spread(pairs.map(({ ours, peer }) => ours[field] / peer[field]));
  const perUnit = (/** @type {Spread} */ times) => scale(times, units.peer / units.ours);
  return {
    wall: perUnit(ratio(SAMPLE_FIELDS.wall)),
    cpu: perUnit(ratio(SAMPLE_FIELDS.cpu)),
    memory: ratio(SAMPLE_FIELDS.memory),
  };
}

/**
 * @param {Spread} spread
 * @param {number} factor
 * @returns {Spread}
 */
function scale({ median: middle, min, max }, factor) {
  return { median: middle * factor, min: min * factor, max: max * factor };
}
