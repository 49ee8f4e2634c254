import { chmodSync, closeSync, constants, fchmodSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoCode, wrapSystemError } from '@sediment/core';

const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o700;
/** So often may other programs make or remove the file meanwhile; a dangling symlink looks the same. */
const RACES = 10;
const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = constants;

/**
 * Opens a lock file, and makes it (0644) with its missing parent directories (0700) if need be; for
 * additional stores, which are only read, no directories. Modes
 * do not depend on the umask: other users' programs must be able to lock the same file. Node opens
 * everything O_CLOEXEC.
 *
 * @returns a descriptor that the caller closes
 * @throws {StorageError} `PERMISSION_DENIED`, `STORE_READ_ONLY`, `NO_SPACE`, `LOCK_FAILED`
 */
export function openLockFile(path: string, readOnly: boolean): number {
  const access = readOnly ? O_RDONLY : O_RDWR;
  try {
    for (let tries = 1; tries < RACES; tries += 1) {
      const fd = openExisting(path, access) ?? createNew(path, access, readOnly);
      if (fd !== undefined) return fd;
    }
    return openSync(path, access);
  } catch (error) {
    throw wrapSystemError(error, `opening lock file ${path}`, 'LOCK_FAILED', {
      path,
      ...hintFor(errnoCode(error), readOnly),
    });
  }
}

function openExisting(path: string, access: number): number | undefined {
  try {
    return openSync(path, access);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined when another program was faster: the file or its directory came or went meanwhile. */
function createNew(path: string, access: number, readOnly: boolean): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, access | O_CREAT | O_EXCL, FILE_MODE);
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return undefined;
    if (errnoCode(error) !== 'ENOENT' || readOnly) throw error;
    makeParents(dirname(path));
    return undefined;
  }
  try {
    fchmodSync(fd, FILE_MODE);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function makeParents(directory: string): void {
  try {
    mkdirSync(directory, DIRECTORY_MODE);
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return;
    if (errnoCode(error) !== 'ENOENT' || dirname(directory) === directory) throw error;
    makeParents(dirname(directory));
    makeParents(directory);
    return;
  }
  chmodSync(directory, DIRECTORY_MODE);
}

function hintFor(errno: string | undefined, readOnly: boolean): { hint?: string } {
  switch (errno) {
    case 'EROFS':
      return {
        hint: readOnly
          ? 'the file system is read-only and has no such lock file'
          : 'the file system is read-only: open the store in snapshot mode',
      };
    case 'EACCES':
    case 'EPERM':
      return { hint: 'run as the owner of the store, or open it in snapshot mode' };
    case 'EMFILE':
    case 'ENFILE':
      return { hint: 'too many files are open: raise the limit (ulimit -n)' };
    default:
      return { hint: 'the path of a lock file must lead through directories to a regular file' };
  }
}
