import { spawnSync } from 'node:child_process';
import { checkoutRoot } from './checkout.js';

/**
 * Runs a program in the checkout with this process's terminal and waits for it.
 *
 * @param {string} program name or path of the program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env] variables added to this process's own
 * @returns {number} its exit status; 128 plus the signal's number when a signal ended it
 */
export function run(program, args, env = {}) {
  const result = spawnSync(program, args, {
    cwd: checkoutRoot,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (result.error) throw result.error;
  return result.status ?? 128;
}

/**
 * Runs a program of `node_modules/.bin`.
 *
 * @param {string} name
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {number} its exit status
 */
export function runTool(name, args, env) {
  return run(`${checkoutRoot}/node_modules/.bin/${name}`, args, env);
}
