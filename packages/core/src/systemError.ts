import type { ErrorCode } from './errorCodes.ts';
import { StorageError, type StorageErrorOptions } from './storageError.ts';

interface SystemErrorLike {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly syscall?: unknown;
  readonly path?: unknown;
}

const BY_ERRNO: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ['NO_SPACE', 'free some space on that file system, or choose another graph root'],
  EDQUOT: ['NO_SPACE', 'the disk quota is used up: free some space or raise the quota'],
  EACCES: ['PERMISSION_DENIED', 'run as a user with access to it'],
  EPERM: ['PERMISSION_DENIED', 'run as root, or choose a store that this user owns'],
  EROFS: ['STORE_READ_ONLY', 'the file system is mounted read-only'],
};

/** What helps whatever the code of the error is. */
const HINTS: Readonly<Record<string, string>> = {
  EBUSY: 'another program uses it: end that program and try again',
  EIO: 'the device reports an error: look at the output of "dmesg"',
  EISDIR: 'there is a directory where a file should be: move it away, or choose another path',
  ELOOP: 'symbolic links lead in a circle: correct them',
  EMFILE: 'raise the limit of open files with "ulimit -n"',
  ENAMETOOLONG: 'choose a shorter path',
  ENFILE: 'the system has too many open files: end some programs',
  ENOENT: 'a file or directory is missing: check the path',
  ENOMEM: 'free some memory',
  ENOTDIR: 'there is a file where a directory should be: move it away, or choose another path',
  ENXIO: 'it is no regular file: choose another path',
};

/** The `E…` code of a system error thrown by Node or by the posix package, else undefined. */
export function errnoCode(error: unknown): string | undefined {
  const code = (error as SystemErrorLike | null | undefined)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/**
 * Turns a system error into a {@link StorageError}, keeping errno, syscall and path as facts. Full
 * disks, missing permission and read-only media get codes of their own; all else is `fallback`.
 * A `StorageError` is returned as it is.
 *
 * @param what says what was being done, with the object's name (`writing layers.json`)
 */
export function wrapSystemError(
  error: unknown,
  what: string,
  fallback: ErrorCode = 'IO',
  options: StorageErrorOptions = {},
): StorageError {
  if (error instanceof StorageError) return error;
  const errno = errnoCode(error);
  const { path, syscall, errno: number } = (error ?? {}) as SystemErrorLike;
  const known = errno === undefined ? undefined : BY_ERRNO[errno];
  const hint = known?.[1] ?? HINTS[errno ?? ''];
  const facts: StorageErrorOptions = {
    ...(path === undefined ? {} : { path: String(path) }),
    ...(typeof syscall === 'string' ? { syscall } : {}),
    ...(typeof number === 'number' ? { errno: Math.abs(number) } : {}),
    ...(errno === undefined ? {} : { errnoCode: errno }),
    ...(hint === undefined ? {} : { hint }),
    ...options,
    cause: error,
  };
  const text = error instanceof Error ? error.message : String(error);
  return new StorageError(known?.[0] ?? fallback, `${what}: ${text}`, facts);
}
