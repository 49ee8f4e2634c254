import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { errnoCode } from '@sediment/core';
import { clearFileFlags } from './fileFlags.ts';
import { joinBytes, withShortPath } from './shortPath.ts';
import { unmountBelow } from './unmountBelow.ts';

const BUSY_TRIES = 1000;
const BUSY_PAUSE_MS = 10;
const OWNER_ALL = 0o700;

/**
 * Deletes a file, or a directory with all that is in it, whatever bytes its names consist of. Mounts
 * below are detached first and never entered, immutable flags are cleared, and a busy entry is tried
 * for up to ten seconds. A missing path is fine.
 *
 * (containers/storage has this in `pkg/system.EnsureRemoveAll`, which tries the plain removal first and
 * so may delete what is mounted below.)
 *
 * @throws the system error of an entry that stays
 */
export function removeTree(path: string): void {
  const root = lstatSync(path, { throwIfNoEntry: false });
  if (root === undefined) return;
  if (root.isDirectory()) unmountBelow(path);
  let flagsCleared = false;
  for (let tries = 1; ; tries++) {
    try {
      removeEntry(Buffer.from(path), root.dev);
      return;
    } catch (error) {
      const code = errnoCode(error);
      if (code === 'EPERM' && !flagsCleared) {
        flagsCleared = true;
        clearFileFlags(path);
      } else if (code === 'EBUSY' && tries < BUSY_TRIES) {
        unmountBelow(path);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
      } else {
        throw error;
      }
    }
  }
}

function removeEntry(path: Buffer, dev: number): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    removeName(path, unlinkSync);
    return;
  }
  if (stat.dev !== dev) throw mountedOver(path);
  // Layers hold directories that their owner, unless root, could not empty.
  if (process.geteuid?.() !== 0) chmodSync(path, OWNER_ALL);
  withShortPath(path, (directory) => removeChildren(directory, dev));
  removeName(path, rmdirSync);
}

function removeChildren(directory: Buffer, dev: number): void {
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: 'buffer' })) {
    const path = joinBytes(directory, entry.name);
    if (entry.isDirectory()) removeEntry(path, dev);
    else removeName(path, unlinkSync);
  }
}

function removeName(path: Buffer, remove: (path: Buffer) => void): void {
  try {
    remove(path);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw error;
  }
}

/** The error that a removal would give; said before anything of the other file system is touched. */
function mountedOver(path: Buffer): NodeJS.ErrnoException {
  return Object.assign(new Error(`EBUSY: another file system is mounted on ${path.toString()}`), {
    code: 'EBUSY',
    errno: -16,
    syscall: 'rmdir',
    path: path.toString(),
  });
}
