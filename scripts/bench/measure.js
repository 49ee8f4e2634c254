import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { remainingMs } from './deadline.js';
import { programPath } from './helperProgram.js';
import { watchMachine } from './machineLoad.js';
import { watchMemory } from './memoryWatch.js';
import { takePriority } from './priority.js';

const TIMEOUT_MS = 15 * 60 * 1000;

/**
 * @typedef {object} Command
 * @property {string} program absolute path
 * @property {readonly string[]} args
 * @property {Record<string, string>} env the whole environment
 */

/**
 * @typedef {object} Outcome
 * @property {import('./statistics.js').Sample} sample
 * @property {import('./machineLoad.js').Meanwhile} meanwhile what else the machine did
 * @property {number} status exit status; 137 when it was killed
 * @property {string} stdout
 * @property {string} stderr
 */

/**
 * @typedef {object} MeasureOptions
 * @property {string} directory where the output is put, on no file system that is measured
 * @property {number} [nice] priority
 */

/** Says in the report how the times are taken. */
export const TIME_METHOD =
  'wall: from spawn to exit, monotonic clock; cpu: user and system time of all processes, by GNU time';

/**
 * Runs a program and looks at what it takes. Nothing else may run in this PID namespace meanwhile.
 *
 * @param {Command} command
 * @param {MeasureOptions} options
 * @returns {Promise<Outcome>}
 * @throws {DeadlineOver}
 */
export async function measure({ program, args, env }, { directory, nice }) {
  const at = (/** @type {string} */ name) => join(directory, name);
  const [out, err] = [openSync(at('stdout'), 'w'), openSync(at('stderr'), 'w')];
  const timeArgs = ['--quiet', '--format=%U %S %M', `--output=${at('usage')}`, program, ...args];
  const limit = remainingMs();
  const priority = takePriority(nice);
  try {
    const endMachineWatch = watchMachine();
    const started = performance.now();
    const child = spawn(programPath('time'), timeArgs, { env, stdio: ['ignore', out, err], detached: true });
    priority.giveTo(child.pid);
    const endWatch = watchMemory();
    const timer = setTimeout(() => endGroup(child.pid), Math.min(limit ?? TIMEOUT_MS, TIMEOUT_MS));
    const status = await statusOf(child);
    const wallMs = performance.now() - started;
    clearTimeout(timer);
    const polledBytes = endWatch();
    remainingMs();
    const { cpuMs, peakBytes } = parseUsage(readFileSync(at('usage'), 'utf8'));
    return {
      sample: { wallMs, cpuMs, peakBytes: Math.max(peakBytes, polledBytes) },
      meanwhile: endMachineWatch({ wallMs, cpuMs }),
      status,
      stdout: readFileSync(at('stdout'), 'utf8'),
      stderr: readFileSync(at('stderr'), 'utf8'),
    };
  } finally {
    priority.end();
    closeSync(out);
    closeSync(err);
  }
}

/** @param {number | undefined} leader of a process group */
function endGroup(leader) {
  if (leader !== undefined) process.kill(-leader, 'SIGKILL');
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>} its exit status
 */
function statusOf(child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 137));
  });
}

/**
 * @param {string} text what GNU time wrote: user seconds, system seconds, kilobytes
 * @returns {{ cpuMs: number, peakBytes: number }}
 */
export function parseUsage(text) {
  const [user, system, kilobytes] = text.trim().split(' ').map(Number);
  if (user === undefined || system === undefined || kilobytes === undefined || Number.isNaN(user + system)) {
    throw new Error(`GNU time wrote ${JSON.stringify(text)}`);
  }
  // a time below its resolution of 10 ms would make ratios infinite
  return { cpuMs: Math.max(10, Math.round((user + system) * 1000)), peakBytes: kilobytes * 1024 };
}
