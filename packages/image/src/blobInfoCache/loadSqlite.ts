import { createRequire } from 'node:module';
import { sqliteMisfit } from '@sediment/storage';
import type BetterSqlite3 from 'better-sqlite3';

/**
 * better-sqlite3, loaded when it is needed: it is native code, and most commands do without.
 *
 * @throws whatever keeps it from being loaded
 */
export function loadSqlite(): typeof BetterSqlite3 {
  const require = createRequire(import.meta.url);
  const misfit = sqliteMisfit(require('better-sqlite3/package.json').version);
  if (misfit !== undefined) throw new Error(`better-sqlite3 cannot be loaded: ${misfit}`);
  return require('better-sqlite3') as typeof BetterSqlite3;
}
