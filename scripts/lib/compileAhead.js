import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutRoot } from './checkout.js';
import { writeUsualArchive } from './usualArchive.js';

/** What the commands to be compiled ahead find in their working directory. */
const ARCHIVE = 'usual.tar';

/**
 * Commands whose results do not matter, for compiling ahead: what they need, others need as well. The driver
 * leaves no mounts.
 */
export const USUAL_COMMANDS = {
  sediment: [['images'], ['import', '-q', ARCHIVE]].map((words) => [
    '--root',
    'graph',
    '--runroot',
    'run',
    '--storage-driver',
    'vfs',
    ...words,
  ]),
  'containers-storage': [['--graph', 'graph', '--run', 'run', '--storage-driver', 'vfs', 'layers']],
};

/**
 * Leaves the compiled form of a bundle beside it, and that of the script of its threads if the commands start
 * threads, unless there are some that are newer.
 *
 * @param {{ bundle: string, worker: string, commands: readonly (readonly string[])[] }} request
 */
export function compileAhead({ bundle, worker, commands }) {
  if (isCompiled(bundle) && isCompiled(worker)) return;
  const directory = mkdtempSync(join(tmpdir(), 'sediment-build-'));
  try {
    const conf = join(directory, 'storage.conf');
    writeFileSync(conf, '');
    writeUsualArchive(join(directory, ARCHIVE));
    const program = join(checkoutRoot, 'scripts/lib/writeCodeCache.cjs');
    const { status, stderr } = spawnSync(process.execPath, [program, bundle, JSON.stringify(commands)], {
      cwd: directory,
      // nothing is to be remembered of the archive
      env: { ...process.env, CONTAINERS_STORAGE_CONF: conf, SEDIMENT_BLOB_INFO_CACHE: 'off' },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`compiling ${bundle} ahead failed: ${stderr}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Lets a script that is the same have the compiled form of another one.
 *
 * @param {string} from
 * @param {string} to
 */
export function copyCompiled(from, to) {
  if (isCompiled(to) || !isCompiled(from) || !readFileSync(from).equals(readFileSync(to))) return;
  copyFileSync(`${from}.cache`, `${to}.cache`);
}

/** @param {string} path */
function isCompiled(path) {
  const made = statSync(`${path}.cache`, { throwIfNoEntry: false });
  return made !== undefined && made.mtimeMs > statSync(path).mtimeMs;
}
