import { readdirSync, readFileSync } from 'node:fs';

const INTERVAL_MS = 20;

/** Says in the report how the peak is found. */
export const MEMORY_METHOD =
  `the largest sum of resident sizes over all processes of a run, polled every ${INTERVAL_MS} ms, and at least ` +
  'the peak of the largest single process as the kernel counts it; pages that processes share count for each';

/**
 * Watches all processes of this PID namespace except this one: nothing but the run lives in there.
 *
 * @returns {() => number} ends the watch; the peak in bytes
 */
export function watchMemory() {
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, residentBytesOfOthers());
  };
  const timer = setInterval(look, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

function residentBytesOfOthers() {
  const ids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && name !== String(process.pid));
  return ids.reduce((sum, id) => sum + residentBytes(readStatus(id)), 0);
}

/** @param {string} id of a process that may have ended */
function readStatus(id) {
  try {
    return readFileSync(`/proc/${id}/status`, 'utf8');
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}

/**
 * @param {string} status text of `/proc/PID/status`; empty for a process that has ended
 * @returns {number} bytes; 0 for the program that takes the time, and for zombies
 */
export function residentBytes(status) {
  if (/^Name:\ttime$/m.test(status)) return 0;
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
