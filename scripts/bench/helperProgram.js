import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { peerDefect } from '../lib/peerPrograms.js';
import { DeadlineOver, remainingMs } from './deadline.js';

const FOLDERS = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'];

/**
 * Where a program of the system lies, whatever PATH says.
 *
 * @param {string} name
 * @returns {string | undefined} absolute path
 */
export function findProgram(name) {
  return FOLDERS.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
}

/**
 * Why programs that are to be measured cannot be.
 *
 * @param {readonly string[]} names
 * @returns {string | undefined} undefined when all are there and are machine programs
 */
export function missingPrograms(names) {
  const defects = names.flatMap((name) => {
    const path = findProgram(name);
    return path === undefined ? `${name} is not installed` : (peerDefect(path) ?? []);
  });
  return defects.length === 0 ? undefined : defects.join('; ');
}

/**
 * @param {string} name
 * @returns {string} absolute path
 */
export function programPath(name) {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

/**
 * @typedef {object} HelperOptions
 * @property {number} [stdin] descriptor
 * @property {number} [stdout] descriptor
 * @property {string} [input] text, instead of `stdin`
 * @property {readonly number[]} [allow] exit statuses that are no failure, besides 0
 * @property {boolean} [evenLate] for what cleans up: it runs when all time is over, too
 */

/**
 * Runs a program of the system that is not measured, and which has to succeed.
 *
 * @param {string} name
 * @param {readonly string[]} args
 * @param {HelperOptions} [options]
 * @returns {string} what it printed; empty with `stdout`
 * @throws {DeadlineOver}
 */
export function runHelper(name, args, { stdin, stdout, input, allow = [], evenLate = false } = {}) {
  const result = spawnSync(programPath(name), [...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: [input === undefined ? (stdin ?? 'ignore') : 'pipe', stdout ?? 'pipe', 'pipe'],
    input,
    env: { ...process.env, PATH: FOLDERS.join(':'), LC_ALL: 'C' },
    timeout: evenLate ? undefined : remainingMs(),
    killSignal: 'SIGKILL',
  });
  return outputOf(name, result, allow);
}

/**
 * Runs a command that could be measured, but is not, and which has to succeed.
 *
 * @param {import('./measure.js').Command} command
 * @returns {string} what it printed
 * @throws {DeadlineOver}
 */
export function runCommand({ program, args, env }) {
  const result = spawnSync(program, [...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env,
    timeout: remainingMs(),
    killSignal: 'SIGKILL',
  });
  return outputOf(program, result);
}

/**
 * @param {string} name
 * @param {import('node:child_process').SpawnSyncReturns<string>} result
 * @param {readonly number[]} [allow]
 */
function outputOf(name, { error, status, stdout, stderr }, allow = []) {
  if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT') throw new DeadlineOver();
  if (error) throw error;
  if (status !== 0 && !allow.includes(status ?? -1)) {
    throw new Error(`${name}: exit status ${status}: ${stderr.trim().slice(-500)}`);
  }
  return stdout ?? '';
}
