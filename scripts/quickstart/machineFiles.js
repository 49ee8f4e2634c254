import { spawnSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import { posix } from 'node:path';

/** @typedef {import('../lib/tarFile.js').Entry} Entry */

/**
 * A program of this machine and the libraries that it loads, as entries of a layer.
 *
 * @param {string} program absolute path here
 * @param {string} name its path in the layer
 * @returns {Entry[]}
 */
export function programEntries(program, name) {
  const libraries = librariesOf(program).map((path) => fileEntry(path, path.slice(1)));
  return [fileEntry(program, name), ...libraries];
}

/**
 * @param {string} path a file here; a link is followed
 * @param {string} name its path in the layer
 * @returns {Entry}
 */
function fileEntry(path, name) {
  const real = realpathSync(path);
  return { type: 'file', name, mode: 0o755, source: { path: real, size: statSync(real).size } };
}

/**
 * The directories that entries lie in, outermost first, without those that are entries already.
 *
 * @param {Entry[]} entries
 * @returns {Entry[]}
 */
export function parentDirectories(entries) {
  const given = new Set(entries.map(({ name }) => name));
  const names = new Set();
  for (const { name } of entries) {
    for (let parent = posix.dirname(name); parent !== '.'; parent = posix.dirname(parent)) names.add(parent);
  }
  return [...names]
    .filter((name) => !given.has(name))
    .sort()
    .map((name) => ({ type: 'directory', name }));
}

/**
 * What the dynamic linker says that a program loads; nothing for a static one.
 *
 * @param {string} program
 */
function librariesOf(program) {
  const { stdout, error } = spawnSync('ldd', [program], { encoding: 'utf8' });
  if (error) throw new Error(`ldd, which finds the libraries of ${program}, cannot be run: ${error.message}`);
  const paths = [...stdout.matchAll(/(\/[^\s()]+) \(0x/g)].map(([, path]) => path);
  return [...new Set(paths)];
}
