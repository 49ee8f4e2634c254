import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programPath } from './helperProgram.js';
import { watchMemory } from './memoryWatch.js';

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
 * @property {number} status exit status; 128 plus the signal's number when a signal ended it
 * @property {string} stdout
 * @property {string} stderr
 */

/** Says in the report how the times are taken. */
export const TIME_METHOD =
  'wall: from spawn to exit, monotonic clock; cpu: user and system time of all processes, by GNU time';

/**
 * Runs a program and looks at what it takes. Nothing else may run in this PID namespace meanwhile.
 *
 * @param {Command} command
 * @param {string} directory where the output is put, on no file system that is measured
 * @returns {Promise<Outcome>}
 */
export async function measure({ program, args, env }, directory) {
  const files = {
    usage: join(directory, 'usage'),
    out: join(directory, 'stdout'),
    err: join(directory, 'stderr'),
  };
  const [out, err] = [openSync(files.out, 'w'), openSync(files.err, 'w')];
  const time = programPath('time');
  const timeArgs = ['--quiet', '--format=%U %S %M', `--output=${files.usage}`, program, ...args];
  const started = performance.now();
  const child = spawn(time, timeArgs, {
    env,
    stdio: ['ignore', out, err],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const endWatch = watchMemory();
  /** @type {number} */
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 128));
  });
  const wallMs = performance.now() - started;
  const polledBytes = endWatch();
  closeSync(out);
  closeSync(err);
  const { cpuMs, peakBytes } = parseUsage(readFileSync(files.usage, 'utf8'));
  return {
    sample: { wallMs, cpuMs, peakBytes: Math.max(peakBytes, polledBytes) },
    status,
    stdout: readFileSync(files.out, 'utf8'),
    stderr: readFileSync(files.err, 'utf8'),
  };
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
