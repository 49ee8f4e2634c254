import { type ErrorCode, isStorageError, type StorageError } from '@sediment/core';
import { CommandError } from './commandError.ts';

/** What to say instead of an error's own message. */
type Words = (error: StorageError) => string | Promise<string>;

/** Does something whose failures the Go command words differently here than elsewhere. */
export async function inWords<T>(
  words: Partial<Readonly<Record<ErrorCode, Words>>>,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const text = isStorageError(error) ? await words[error.code]?.(error) : undefined;
    throw text === undefined ? error : new CommandError(text);
  }
}
