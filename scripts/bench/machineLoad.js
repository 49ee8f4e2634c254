import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Length of the clock ticks that the kernel counts processor time in, for programs: always a hundredth of a second. */
const TICK_MS = 10;

/** Shares of all processors' time above which a ratio says less than it should. */
const STOLEN_LIMIT = 0.05;
const OTHERS_LIMIT = 0.15;

/**
 * @typedef {object} ProcessorTimes
 * @property {number} busyMs time of all programs and of the kernel, on all processors, since the machine started
 * @property {number} stolenMs time for which this machine was not let run by the one that it runs on
 */

/**
 * What else happened on the machine while a program was measured.
 *
 * @typedef {object} Meanwhile
 * @property {number} capacityMs what all processors could have done
 * @property {number} stolenMs taken by the machine below
 * @property {number} othersMs processor time of others: other work, and threads of the kernel
 */

/**
 * @typedef {object} MachineLoad
 * @property {number} loadAverage of one minute, when it was over
 * @property {number} stolen share of all processors' time, 0 to 1
 * @property {number} others share of all processors' time, 0 to 1
 */

/**
 * @param {string} [text] that of `/proc/stat`
 * @returns {ProcessorTimes}
 */
export function processorTimes(text = readFileSync('/proc/stat', 'utf8')) {
  const ticks = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ').map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = ticks;
  return { busyMs: (user + nice + system + irq + softirq) * TICK_MS, stolenMs: stolen * TICK_MS };
}

/**
 * Watches what the machine does until the answer is asked for.
 *
 * @returns {(measured: { wallMs: number, cpuMs: number }) => Meanwhile} told what was measured
 */
export function watchMachine() {
  const before = processorTimes();
  const own = process.cpuUsage();
  return ({ wallMs, cpuMs }) => {
    const after = processorTimes();
    const { user, system } = process.cpuUsage(own);
    const ownMs = (user + system) / 1000;
    return {
      capacityMs: wallMs * availableParallelism(),
      stolenMs: after.stolenMs - before.stolenMs,
      othersMs: Math.max(0, after.busyMs - before.busyMs - cpuMs - ownMs),
    };
  };
}

/**
 * @param {readonly Meanwhile[]} runs at least one
 * @param {number} loadAverage
 * @returns {MachineLoad}
 */
export function summarizeLoad(runs, loadAverage) {
  /** @param {keyof Meanwhile} field */
  const sum = (field) => runs.reduce((total, run) => total + run[field], 0);
  const share = (/** @type {number} */ ms) => Number((ms / sum('capacityMs')).toFixed(3));
  return { loadAverage, stolen: share(sum('stolenMs')), others: share(sum('othersMs')) };
}

/** @param {MachineLoad} load */
export function isBusy({ stolen, others }) {
  return stolen > STOLEN_LIMIT || others > OTHERS_LIMIT;
}

/** @param {MachineLoad} load */
export function formatLoad({ loadAverage, stolen, others }) {
  const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(0)} %`;
  return `load average ${loadAverage.toFixed(1)}, stolen ${percent(stolen)}, others ${percent(others)}`;
}
