import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';

/**
 * A system error met while a destination is written. `StorageError`s are returned as they are.
 *
 * @param what says what was being done (`writing app.tar`)
 */
export function destinationError(error: unknown, what: string, path: string): StorageError {
  const hint = HINTS[errnoCode(error) ?? ''];
  const known = wrapSystemError(error, what, 'IO', { path, ...(hint === undefined ? {} : { hint }) });
  if (known === error || errnoCode(error) !== 'EROFS') return known;
  // Elsewhere this is said of stores.
  return new StorageError('PERMISSION_DENIED', known.message, {
    ...known.facts,
    cause: error,
    hint: hint as string,
  });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'free some space there, or choose a destination on another file system',
  EDQUOT: 'the disk quota is used up: free some space, or choose another destination',
  EACCES: 'choose a destination where this user may write',
  EPERM: 'choose a destination where this user may write',
  EROFS: 'choose a destination on a file system that is not read-only',
  EPIPE: 'the program that reads the archive ended before it had all of it: look at its messages',
  EFBIG: 'the file system, or a limit of this user (ulimit -f), does not allow files of that size',
};

/** Awaits `fn` and gives its system errors their words. */
export async function onDestination<T>(what: string, path: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    throw destinationError(error, what, path);
  }
}

export function destinationInvalid(path: string, message: string, hint: string): StorageError {
  return new StorageError('DESTINATION_INVALID', message, { path, hint });
}

/** @throws {StorageError} `ABORTED` once one of the signals was given */
export function throwIfStopped(...signals: readonly (AbortSignal | undefined)[]): void {
  const signal = signals.find((one) => one?.aborted === true);
  if (signal === undefined) return;
  throw new StorageError('ABORTED', 'writing the image was aborted', { cause: signal.reason });
}
