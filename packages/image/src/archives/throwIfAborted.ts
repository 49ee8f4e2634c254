import { StorageError } from '@sediment/core';

/** @throws {StorageError} `ABORTED` once the signal was given */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal);
}

export function abortedError(signal: AbortSignal): StorageError {
  return new StorageError('ABORTED', 'reading the image source was aborted', { cause: signal.reason });
}
