import { lstatSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { runHelper } from '../helperProgram.js';

/** A lexical walk below one of them would give nothing but one kind of file. */
const ROOTS = ['usr/bin', 'usr/include', 'usr/lib', 'usr/libexec', 'usr/share'];
const LARGEST_FILE_BYTES = 16e6;

/**
 * @typedef {object} HostFile
 * @property {string} path relative to the host's root directory
 * @property {number} size bytes
 * @property {boolean} isDirectory
 */

/**
 * Files, links and directories of this machine, in the order of their paths below each root; of each root so many.
 *
 * @param {{ bytesPerRoot: number, entriesPerRoot: number, roots?: readonly string[] }} limits
 * @returns {HostFile[]} every one after the directory that it lies in
 */
export function selectHostFiles({ bytesPerRoot, entriesPerRoot, roots = ROOTS }) {
  return roots.flatMap((root) => {
    /** @type {HostFile[]} */
    const chosen = [];
    let bytes = 0;
    for (const file of walk(root)) {
      if (chosen.length >= entriesPerRoot || bytes + file.size > bytesPerRoot) break;
      if (file.size > LARGEST_FILE_BYTES) continue;
      chosen.push(file);
      bytes += file.size;
    }
    return chosen;
  });
}

/**
 * @param {string} path relative to the host's root directory
 * @returns {Generator<HostFile>}
 */
function* walk(path) {
  const info = lstatSync(`/${path}`, { throwIfNoEntry: false });
  if (info === undefined || !(info.isFile() || info.isDirectory() || info.isSymbolicLink())) return;
  const isDirectory = info.isDirectory();
  yield { path, size: info.isFile() ? info.size : 0, isDirectory };
  if (!isDirectory) return;
  for (const name of readdirSync(`/${path}`).sort()) yield* walk(posix.join(path, name));
}

/**
 * Cuts a list into parts of about the same number of bytes.
 *
 * @param {readonly HostFile[]} files
 * @param {number} count
 * @returns {HostFile[][]}
 */
export function divideFiles(files, count) {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  /** @type {HostFile[][]} */
  const parts = Array.from({ length: count }, () => []);
  let before = 0;
  for (const file of files) {
    parts[Math.min(count - 1, Math.floor((before / Math.max(total, 1)) * count))]?.push(file);
    before += file.size;
  }
  return parts;
}

/**
 * Writes files of this machine into a tar, as they are here, and the directories that they lie in.
 *
 * @param {string} tar
 * @param {readonly HostFile[]} files
 */
export function packHostFiles(tar, files) {
  const paths = withParents(files.map(({ path }) => path));
  const args = ['--create', `--file=${tar}`, '--format=gnu', '--numeric-owner', '--directory=/'];
  const list = ['--no-recursion', '--null', '--verbatim-files-from', '--files-from=-'];
  // exit status 1: a file changed meanwhile; the tar is whole nevertheless
  runHelper('tar', [...args, ...list], { input: paths.map((path) => `${path}\0`).join(''), allow: [1] });
}

/**
 * @param {readonly string[]} paths relative ones
 * @returns {string[]} with the directories that they lie in, each before what is in it, none twice
 */
export function withParents(paths) {
  /** @type {Set<string>} */
  const all = new Set();
  for (const path of paths) {
    const names = path.split('/');
    for (let length = 1; length <= names.length; length += 1) all.add(names.slice(0, length).join('/'));
  }
  return [...all];
}
