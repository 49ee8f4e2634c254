import { StorageError } from '@sediment/core';

/** The error that `fn` must throw; any other outcome fails the test. */
export async function storageErrorOf(fn: () => unknown): Promise<StorageError> {
  try {
    await fn();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error('expected a StorageError, but nothing was thrown');
}
