import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkoutRoot } from '../lib/checkout.js';
import { output, typed } from './narrator.js';
import { promise } from './promise.js';

const SEDIMENT = join(checkoutRoot, 'node_modules/.bin/sediment');

/**
 * @typedef {object} Outcome
 * @property {number} status
 * @property {string} stdout
 * @property {string} stderr
 */

/**
 * Runs the command without a word about it.
 *
 * @param {string[]} args
 * @returns {Outcome}
 */
export function trySediment(args) {
  const { status, stdout, stderr, error } = spawnSync(SEDIMENT, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  return { status: status ?? 1, stdout, stderr };
}

/**
 * Shows the command, runs it, and shows what it prints. It has to succeed.
 *
 * @param {string[]} args
 * @returns {string} its standard output
 */
export function sediment(...args) {
  typed(['sediment', ...args].join(' '));
  const { status, stdout, stderr } = trySediment(args);
  if (stdout + stderr !== '') output(stdout + stderr);
  promise(status === 0, `"sediment ${args.join(' ')}" succeeds`);
  return stdout;
}

/**
 * Shows a command that is refused, with what it says.
 *
 * @param {string[]} args
 * @returns {Outcome}
 */
export function refusedSediment(...args) {
  typed(['sediment', ...args].join(' '));
  const outcome = trySediment(args);
  output(`${outcome.stdout}${outcome.stderr}(exit status ${outcome.status})`);
  promise(outcome.status === 1, `"sediment ${args.join(' ')}" is refused`);
  return outcome;
}

/**
 * The result of a command as JSON, for looking at rather than showing.
 *
 * @param {string[]} args
 */
export function sedimentJson(...args) {
  const { status, stdout, stderr } = trySediment([...args, '--format', 'json']);
  promise(status === 0, `"sediment ${args.join(' ')}" succeeds: ${stderr}`);
  return JSON.parse(stdout);
}
