import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { peerDefect } from '../lib/peerPrograms.js';

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
 * Runs a program of the system that is not measured, and which has to succeed.
 *
 * @param {string} name
 * @param {readonly string[]} args
 * @param {{ stdin?: number, stdout?: number, input?: string, allow?: readonly number[] }} [options] descriptors
 *   for input and output, or text as `input`; `allow`: exit statuses that are no failure besides 0
 * @returns {string} what it printed; empty with `stdout`
 */
export function runHelper(name, args, { stdin, stdout, input, allow = [] } = {}) {
  const result = spawnSync(programPath(name), [...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: [input === undefined ? (stdin ?? 'ignore') : 'pipe', stdout ?? 'pipe', 'pipe'],
    input,
    env: { ...process.env, PATH: FOLDERS.join(':'), LC_ALL: 'C' },
  });
  if (result.error) throw result.error;
  if (result.status !== 0 && !allow.includes(result.status ?? -1)) {
    throw new Error(`${name}: exit status ${result.status}: ${result.stderr.trim().slice(-500)}`);
  }
  return result.stdout ?? '';
}

/**
 * Runs a command that could be measured, but is not, and which has to succeed.
 *
 * @param {import('./measure.js').Command} command
 * @returns {string} what it printed
 */
export function runCommand({ program, args, env }) {
  const result = spawnSync(program, [...args], { encoding: 'utf8', maxBuffer: 1 << 28, env });
  if (result.error) throw result.error;
  if (result.status !== 0)
    throw new Error(`${program}: exit status ${result.status}: ${result.stderr.trim().slice(-500)}`);
  return result.stdout;
}
