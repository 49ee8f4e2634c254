import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutRoot } from './checkout.js';
import { writeUsualArchive } from './usualArchive.js';

/** What the commands to be compiled ahead find in their working directory. */
const ARCHIVE = 'usual.tar';

/** A driver that leaves no mounts. */
const STORE = ['--root', 'graph', '--runroot', 'run', '--storage-driver', 'vfs'];

/**
 * The compiled forms of a bundle by what is added to its name, with the words of a command whose result does not
 * matter: what it needs, others need as well.
 *
 * @typedef {Readonly<Record<string, readonly string[]>>} Forms
 */

/** An import needs half as much again as other commands, which would take longer to start with all of that. */
export const SEDIMENT_FORMS = {
  '.cache': [...STORE, 'images'],
  '.import.cache': [...STORE, 'import', '-q', ARCHIVE],
};

export const CONTAINERS_STORAGE_FORMS = {
  '.cache': ['--graph', 'graph', '--run', 'run', '--storage-driver', 'vfs', 'layers'],
};

/**
 * Leaves the compiled forms of a bundle beside it, and that of the script of its threads if the commands start
 * threads, unless V8 takes those that are there.
 *
 * @param {{ bundle: string, worker: string, forms: Forms }} request
 */
export function compileAhead({ bundle, worker, forms }) {
  const suffixes = Object.keys(forms);
  if (suffixes.every((suffix) => isCompiled(bundle, suffix)) && isCompiled(worker)) return;
  for (const path of [bundle, worker]) removeCompiled(path);
  const directory = mkdtempSync(join(tmpdir(), 'sediment-build-'));
  try {
    writeUsualArchive(join(directory, ARCHIVE));
    for (const [suffix, words] of Object.entries(forms)) {
      runOnce(directory, [bundle, `${bundle}${suffix}`, ...words]);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {string} directory to work in
 * @param {readonly string[]} words of the program that writes a form
 */
function runOnce(directory, words) {
  const conf = join(directory, 'storage.conf');
  writeFileSync(conf, '');
  const program = join(checkoutRoot, 'scripts/lib/writeCodeCache.cjs');
  const { status, stderr } = spawnSync(process.execPath, [program, ...words], {
    cwd: directory,
    // nothing is to be remembered of the archive
    env: { ...process.env, CONTAINERS_STORAGE_CONF: conf, SEDIMENT_BLOB_INFO_CACHE: 'off' },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`compiling ${words[0]} ahead failed: ${stderr}`);
}

/**
 * Lets a script that is the same have the compiled form of another one.
 *
 * @param {string} from
 * @param {string} to
 */
export function copyCompiled(from, to) {
  if (isCompiled(to) || !isCompiled(from) || !readFileSync(from).equals(readFileSync(to))) return;
  const temporary = `${to}.cache.${process.pid}`;
  writeFileSync(temporary, readFileSync(`${from}.cache`), { mode: 0o644, flush: true });
  renameSync(temporary, `${to}.cache`);
}

/**
 * Removes the compiled forms of a script.
 *
 * @param {string} path
 */
export function removeCompiled(path) {
  for (const suffix of Object.keys(SEDIMENT_FORMS)) rmSync(`${path}${suffix}`, { force: true });
}

/**
 * Whether V8 takes a compiled form: not one of another script, or of another version of Node.js. A damaged one may crash
 * the program that tries.
 *
 * @param {string} path
 * @param {string} [suffix]
 */
function isCompiled(path, suffix = '.cache') {
  const form = `${path}${suffix}`;
  if (!existsSync(form)) return false;
  const loader = join(checkoutRoot, 'scripts/lib/loadCompiled.cjs');
  const [load, ...request] = [loader, path, form].map((text) => JSON.stringify(text));
  const program = `process.exit(require(${load}).readCompiled(${request}).script.cachedDataRejected === false ? 0 : 1)`;
  return spawnSync(process.execPath, ['-e', program]).status === 0;
}
