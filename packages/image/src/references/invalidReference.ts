import { isStorageError, StorageError } from '@sediment/core';

/** The error for a reference that cannot be read. */
export function invalidReference(text: string, reason: string, hint: string): StorageError {
  return new StorageError('REFERENCE_INVALID', `invalid image reference ${JSON.stringify(text)}: ${reason}`, {
    object: text,
    hint,
  });
}

/** Runs a parser of a part of a reference; its errors then name the whole. */
export function partOfReference<T>(text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isStorageError(error, 'REFERENCE_INVALID')) throw error;
    throw new StorageError(error.code, `invalid image reference ${JSON.stringify(text)}: ${error.message}`, {
      object: text,
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
