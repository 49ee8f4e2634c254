import { StorageError } from '@sediment/core';
import { APPLICATION_ID, MIGRATIONS } from './indexSchema.ts';
import { type Database, loadSqlite } from './loadSqlite.ts';

const BUSY_TIMEOUT_MS = 5000;

export interface OpenedIndex {
  readonly db: Database;
  /** Whether it knows what there is; if not it must be filled. */
  readonly isFilled: boolean;
}

/**
 * Opens the database, making it if it is missing, checks it quickly, and brings its schema up to date.
 *
 * The journal is SQLite's ordinary one, and not the write-ahead log: that needs memory shared between processes, which
 * network file systems do not have, and a reader without the right to write cannot open it. Writes are few.
 *
 * @throws {StorageError} `NATIVE_UNAVAILABLE`; `KEPT_INDEX_INVALID` for one of a newer version
 * @throws an error of SQLite, also for a damaged file
 */
export function openIndex(path: string): OpenedIndex {
  const sqlite = loadSqlite();
  const db = new sqlite(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.pragma('journal_mode = DELETE');
    db.pragma('synchronous = NORMAL');
    db.pragma('foreign_keys = ON');
    refuseDamaged(db);
    migrate(db, path);
    return { db, isFilled: db.pragma('application_id', { simple: true }) === APPLICATION_ID };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** What the quick check finds is said as SQLite says it when it stumbles over damage. */
function refuseDamaged(db: Database): void {
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw Object.assign(new Error(String(found)), { code: 'SQLITE_CORRUPT' });
}

function migrate(db: Database, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version === MIGRATIONS.length) return;
  if (version > MIGRATIONS.length) {
    throw new StorageError(
      'KEPT_INDEX_INVALID',
      `${path}: the index has version ${version}, this program knows ${MIGRATIONS.length}`,
      { path, expected: MIGRATIONS.length, actual: version, hint: 'use the newer program that made it' },
    );
  }
  db.transaction(() => {
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  }).immediate();
}
