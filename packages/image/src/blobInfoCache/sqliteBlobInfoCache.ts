import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Compression, type Digest, isDigest, type WarningHandler } from '@sediment/core';
import type { Database } from 'better-sqlite3';
import type { BlobInfoCache, BlobLocation } from './blobInfoCache.ts';
import { makeBlobInfoSchema } from './blobInfoSchema.ts';
import { compressionNamed, compressorName } from './compressorNames.ts';
import { goTimeText } from './goTimeText.ts';
import { loadSqlite } from './loadSqlite.ts';

/** How long to wait for another program that is writing; as the others do. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * A cache in a file that other programs use at the same time. Every write is a transaction of its own that locks
 * the file from the start, so that no two writers wait for each other; between them nothing is locked.
 */
export class SqliteBlobInfoCache implements BlobInfoCache {
  readonly #path: string | undefined;
  readonly #onWarning: WarningHandler;
  #database: Database | undefined;
  #off: boolean;

  /** @param path undefined for a cache that knows nothing */
  constructor(path: string | undefined, onWarning: WarningHandler) {
    this.#path = path;
    this.#onWarning = onWarning;
    this.#off = path === undefined;
  }

  uncompressedDigest(digest: Digest): Digest | undefined {
    return this.#read((database) => {
      const find = 'SELECT uncompressedDigest FROM DigestUncompressedPairs WHERE anyDigest = ?';
      const found = database.prepare(find).pluck().get(digest);
      if (found !== undefined) return isDigest(found) ? found : undefined;
      const isTarget = 'SELECT 1 FROM DigestUncompressedPairs WHERE uncompressedDigest = ?';
      return database.prepare(isTarget).get(digest) === undefined ? undefined : digest;
    });
  }

  recordPair(digest: Digest, uncompressed: Digest): void {
    this.#write((database) => {
      database
        .prepare(
          'INSERT OR REPLACE INTO DigestUncompressedPairs(anyDigest, uncompressedDigest) VALUES (?, ?)',
        )
        .run(digest, uncompressed);
    });
  }

  compressor(digest: Digest): Compression | undefined {
    return this.#read((database) => {
      const find = 'SELECT compressor FROM DigestCompressors WHERE digest = ?';
      const found = database.prepare(find).pluck().get(digest);
      return typeof found === 'string' ? compressionNamed(found) : undefined;
    });
  }

  recordCompressor(digest: Digest, compression: Compression | undefined): void {
    this.#write((database) => {
      if (compression === undefined) {
        database.prepare('DELETE FROM DigestCompressors WHERE digest = ?').run(digest);
        database.prepare('DELETE FROM DigestSpecificVariantCompressors WHERE digest = ?').run(digest);
        return;
      }
      database
        .prepare('INSERT OR REPLACE INTO DigestCompressors(digest, compressor) VALUES (?, ?)')
        .run(digest, compressorName(compression));
    });
  }

  recordLocation({ transport, scope, digest, location }: BlobLocation, seen = new Date()): void {
    this.#write((database) => {
      database
        .prepare(
          'INSERT OR REPLACE INTO KnownLocations(transport, scope, digest, location, time) VALUES (?, ?, ?, ?, ?)',
        )
        .run(transport, scope, digest, location, goTimeText(seen));
    });
  }

  together(record: () => void): void {
    this.#write(() => record());
  }

  close(): void {
    this.#off = true;
    this.#database?.close();
    this.#database = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What nobody has written yet is not made for a question. */
  #read<T>(fn: (database: Database) => T): T | undefined {
    if (this.#off || (this.#database === undefined && !existsSync(this.#path as string))) return undefined;
    return this.#guarded(fn);
  }

  #write(fn: (database: Database) => void): void {
    if (this.#off) return;
    this.#guarded((database) => {
      if (database.inTransaction) fn(database);
      else database.transaction(() => fn(database)).exclusive();
    });
  }

  #guarded<T>(fn: (database: Database) => T): T | undefined {
    // An inner call must fail, so that the transaction around it is rolled back.
    if (this.#database?.inTransaction === true) return fn(this.#database);
    const database = this.#opened();
    if (database === undefined) return undefined;
    try {
      return fn(database);
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      return this.#turnOff(error);
    }
  }

  #opened(): Database | undefined {
    try {
      this.#database ??= open(this.#path as string);
      return this.#database;
    } catch (error) {
      return this.#turnOff(error);
    }
  }

  #turnOff(error: unknown): undefined {
    const path = this.#path as string;
    this.close();
    const reason = error instanceof Error ? error.message : String(error);
    this.#onWarning({
      code: 'BLOB_CACHE_OFF',
      message: `what is known about blobs is not remembered: ${path}: ${reason}`,
      path,
    });
    return undefined;
  }
}

function open(path: string): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const Sqlite = loadSqlite();
  const database = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.pragma('foreign_keys = ON');
    database.pragma('synchronous = FULL');
    makeBlobInfoSchema(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isSqliteError(error: unknown): boolean {
  return error instanceof loadSqlite().SqliteError;
}
