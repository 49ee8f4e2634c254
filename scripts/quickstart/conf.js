import { readFileSync, writeFileSync } from 'node:fs';
import { promise } from './promise.js';

/**
 * Copies an example of storage.conf with other roots, and nothing else changed.
 *
 * @param {string} example
 * @param {string} copy
 * @param {{ graphroot: string, runroot: string }} roots
 * @returns {string[]} the changed lines, as a difference
 */
export function copyConf(example, copy, roots) {
  const before = readFileSync(example, 'utf8').split('\n');
  const after = before.map((line) => {
    const key = /^(graphroot|runroot) *=/.exec(line)?.[1];
    return key === 'graphroot' || key === 'runroot' ? `${key} = ${JSON.stringify(roots[key])}` : line;
  });
  writeFileSync(copy, after.join('\n'));
  const changed = before.flatMap((line, i) => (line === after[i] ? [] : [`- ${line}`, `+ ${after[i]}`]));
  promise(changed.length === 4, 'storage.conf.example has one line for graphroot and one for runroot');
  return changed;
}
