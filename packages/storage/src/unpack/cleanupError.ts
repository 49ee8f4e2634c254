import { StorageError } from '@sediment/core';

/** The error to throw when cleaning up after `first` failed, too: still `first`, with the second told in its message. */
export function withCleanupError(first: unknown, second: unknown): Error {
  const cause = new AggregateError([first, second]);
  const text = `${messageOf(first)}; then cleaning up failed: ${messageOf(second)}`;
  if (!(first instanceof StorageError)) return new Error(text, { cause });
  const { code, hint, facts } = first;
  return new StorageError(code, text, { ...facts, ...(hint === undefined ? {} : { hint }), cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
