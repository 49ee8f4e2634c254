import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoCode } from '@sediment/core';

const MODE = 0o700;

/**
 * Makes a directory and those above it that are missing, all 0700 whatever the umask; what exists keeps
 * its mode. (`mkdirSync` with `recursive` never returns below `/proc`, where the parent exists and
 * making a directory says ENOENT.)
 *
 * @throws the system error; `ENOTDIR` when something else is in the way
 */
export function makePrivateDirectory(path: string): void {
  if (makeOne(path)) return;
  const parent = dirname(path);
  if (statSync(parent, { throwIfNoEntry: false }) === undefined) makePrivateDirectory(parent);
  if (!makeOne(path)) mkdirSync(path, MODE);
}

/** @returns false when the parent is missing */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path, MODE);
    chmodSync(path, MODE);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return false;
    if (errnoCode(error) !== 'EEXIST') throw error;
    if (statSync(path).isDirectory()) return true;
    throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${path}'`), {
      code: 'ENOTDIR',
      syscall: 'mkdir',
      path,
    });
  }
}
