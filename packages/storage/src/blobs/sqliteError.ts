import { type ErrorCode, StorageError, type StorageErrorOptions } from '@sediment/core';

const FULL: readonly [ErrorCode, string] = [
  'NO_SPACE',
  'free some space on the file system of the graph root',
];

/** Beginnings of SQLite's result codes. */
const KNOWN: readonly (readonly [string, readonly [ErrorCode, string]])[] = [
  ['SQLITE_FULL', FULL],
  ['SQLITE_BUSY', ['LOCK_FAILED', 'another program holds the database: end it and try again']],
  ['SQLITE_READONLY', ['STORE_READ_ONLY', 'the database cannot be written: check its owner and the mount']],
  ['SQLITE_PERM', ['PERMISSION_DENIED', 'run as the owner of the store']],
  ['SQLITE_AUTH', ['PERMISSION_DENIED', 'run as the owner of the store']],
];

/** Result code of an error that SQLite made, else undefined. */
export function sqliteCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}

/** Whether the file is no sound database: its content is lost, not the host in trouble. */
export function isCorrupt(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB');
}

/** A `StorageError` for an error of SQLite; any other error as it is. */
export function wrapSqliteError(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const [storageCode, hint] = KNOWN.find(([start]) => code.startsWith(start))?.[1] ?? ['IO', undefined];
  const options: StorageErrorOptions = { path, cause: error, ...(hint === undefined ? {} : { hint }) };
  return new StorageError(storageCode, `${path}: ${(error as Error).message} (${code})`, options);
}
