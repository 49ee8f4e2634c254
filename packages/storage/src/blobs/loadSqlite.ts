import { createRequire } from 'node:module';
import { StorageError } from '@sediment/core';
import { sqliteMisfit } from './sqliteMisfit.ts';

type Sqlite = typeof import('better-sqlite3');
export type Database = import('better-sqlite3').Database;

let loaded: Sqlite | undefined;

/**
 * better-sqlite3, which is machine code: loaded by the first call, and left outside of the bundles.
 *
 * @throws {StorageError} `NATIVE_UNAVAILABLE`
 */
export function loadSqlite(): Sqlite {
  if (loaded !== undefined) return loaded;
  try {
    const require = createRequire(import.meta.url);
    const misfit = sqliteMisfit(require('better-sqlite3/package.json').version);
    if (misfit !== undefined) throw new Error(misfit);
    const sqlite = require('better-sqlite3') as Sqlite;
    // The package loads its binary with the first database only.
    new sqlite(':memory:').close();
    loaded = sqlite;
    return sqlite;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StorageError('NATIVE_UNAVAILABLE', `better-sqlite3 cannot be loaded: ${reason}`, {
      cause: error,
      hint: 'kept blobs need it: install better-sqlite3 for this platform and version of Node.js, or import without keeping blobs',
    });
  }
}
