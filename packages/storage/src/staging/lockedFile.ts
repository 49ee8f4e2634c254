import {
  closeSync,
  fchmodSync,
  constants as fsConstants,
  fstatSync,
  lstatSync,
  openSync,
  unlinkSync,
} from 'node:fs';
import { errnoCode } from '@sediment/core';
import { AT_FDCWD, AT_SYMLINK_FOLLOW, linkat, O_TMPFILE, ofdTryLock, ofdUnlock } from '@sediment/posix';

const MODE = 0o600;
/** How kernels and file systems that do not have O_TMPFILE answer (open(2)). */
const NO_TMPFILE = new Set(['EOPNOTSUPP', 'EISDIR', 'EINVAL']);

/**
 * A file that stays write-locked until it is released. Programs that find the name try the lock;
 * success means that the owner is gone.
 */
export class LockedFile {
  readonly path: string;
  readonly #fd: number;
  #open = true;

  /** Takes over `fd`, which holds the lock. */
  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** Removes the name while the lock is still held, then releases it. A missing name is fine. */
  remove(): void {
    if (!this.#open) return;
    try {
      unlinkSync(this.path);
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT') throw error;
    } finally {
      this.release();
    }
  }

  /** Unlocks and closes; the file stays. Unlocked first: a child just forked may hold the descriptor. */
  release(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      ofdUnlock(this.#fd);
    } finally {
      closeSync(this.#fd);
    }
  }
}

/**
 * Makes the file `path` in `directory`, mode 0600 and locked. Where kernel and file system can, the name
 * appears only once the file is locked, so that nobody takes it for a left-over.
 *
 * @returns undefined when the name is taken, or was taken away before it was locked: use another one
 * @throws the system error; `ENOENT` when the directory is missing
 */
export function createLockedFile(directory: string, path: string): LockedFile | undefined {
  const born = createLockedAtBirth(directory, path);
  return born === 'unsupported' ? createThenLock(path) : born;
}

/**
 * Locks the existing file `path`; with `create`, makes it when it is missing.
 *
 * @returns undefined when another process holds the lock, or the name is gone
 */
export function tryLockFile(path: string, options: { readonly create: boolean }): LockedFile | undefined {
  const flags = fsConstants.O_RDWR | (options.create ? fsConstants.O_CREAT : 0);
  let fd: number;
  try {
    fd = openSync(path, flags, MODE);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' && !options.create) return undefined;
    throw error;
  }
  return lockOpened(path, fd);
}

function createLockedAtBirth(directory: string, path: string): LockedFile | undefined | 'unsupported' {
  let fd: number;
  try {
    fd = openSync(directory, O_TMPFILE | fsConstants.O_RDWR, MODE);
  } catch (error) {
    if (NO_TMPFILE.has(errnoCode(error) ?? '')) return 'unsupported';
    throw error;
  }
  let file: LockedFile | undefined;
  try {
    fchmodSync(fd, MODE);
    if (!ofdTryLock(fd, 'write')) return 'unsupported';
    linkat(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
    file = new LockedFile(path, fd);
    return file;
  } catch (error) {
    // Without /proc, or where a policy forbids the link, the older way is left.
    return errnoCode(error) === 'EEXIST' ? undefined : 'unsupported';
  } finally {
    if (file === undefined) closeSync(fd);
  }
}

/**
 * The way of upstream, for file systems without O_TMPFILE: for a moment the file is there and unlocked.
 *
 * @internal exported for its test
 */
export function createThenLock(path: string): LockedFile | undefined {
  let fd: number;
  try {
    fd = openSync(path, fsConstants.O_RDWR | fsConstants.O_CREAT | fsConstants.O_EXCL, MODE);
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return undefined;
    throw error;
  }
  fchmodSync(fd, MODE);
  return lockOpened(path, fd);
}

/**
 * Locks `fd` and makes sure that the name still means that file: its last owner removes it under the
 * lock. Closes `fd` if the answer is undefined.
 *
 * @internal exported for its test
 */
export function lockOpened(path: string, fd: number): LockedFile | undefined {
  let file: LockedFile | undefined;
  try {
    if (!ofdTryLock(fd, 'write')) return undefined;
    if (!isStillNamed(path, fd)) return undefined;
    file = new LockedFile(path, fd);
    return file;
  } finally {
    if (file === undefined) closeSync(fd);
  }
}

function isStillNamed(path: string, fd: number): boolean {
  const named = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  const opened = fstatSync(fd, { bigint: true });
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev;
}
