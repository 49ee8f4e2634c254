import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { programPath } from '../helperProgram.js';

/** System calls by which a file of records can be opened or replaced. */
const CALLS = 'open,openat,openat2,rename,renameat,renameat2,link,linkat';

/**
 * @typedef {object} RecordAccess
 * @property {number} reads how often the file was opened for reading
 * @property {number} writes how often it was replaced or opened for writing
 */

/**
 * Runs a command, which has to succeed, under strace, and counts what it does with a file.
 *
 * @param {import('../measure.js').Command} command
 * @param {{ file: string, trace: string }} options `file`: end of its path; `trace`: file for what strace writes
 * @returns {RecordAccess}
 */
export function traceRecordAccess({ program, args, env }, { file, trace }) {
  const strace = ['-f', '-qq', '-s', '4096', '-e', `trace=${CALLS}`, '-o', trace, program, ...args];
  const { error, status, stderr } = spawnSync(programPath('strace'), strace, { env, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`under strace: exit status ${status}: ${stderr.trim().slice(-500)}`);
  return countRecordAccess(readFileSync(trace, 'utf8'), file);
}

/**
 * @param {string} trace what strace wrote
 * @param {string} file end of its path
 * @returns {RecordAccess}
 */
export function countRecordAccess(trace, file) {
  let [reads, writes] = [0, 0];
  for (const line of wholeCalls(trace)) {
    const call = /^(\w+)\((.*)\) += (-?\d+)/.exec(line);
    if (call === null || Number(call[3]) < 0) continue;
    const [, name = '', text = ''] = call;
    const paths = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path]) => path ?? '');
    if (!paths.at(-1)?.endsWith(file)) continue;
    if (!name.startsWith('open') || /O_(WRONLY|RDWR)/.test(text)) writes += 1;
    else reads += 1;
  }
  return { reads, writes };
}

/**
 * Puts calls together that strace wrote in two parts, since another thread came in between.
 *
 * @param {string} trace
 * @returns {string[]} without numbers of threads
 */
function wholeCalls(trace) {
  /** @type {Map<string, string>} */
  const begun = new Map();
  /** @type {string[]} */
  const calls = [];
  for (const line of trace.split('\n')) {
    const [, thread = '', text = ''] = /^(?:(\d+) +)?(.*)$/.exec(line) ?? [];
    const first = /^(.*) <unfinished \.\.\.>$/.exec(text)?.[1];
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)?.[1];
    if (first !== undefined) begun.set(thread, first);
    else if (rest !== undefined) calls.push(`${begun.get(thread) ?? ''}${rest}`);
    else calls.push(text);
  }
  return calls;
}
