import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf, type Warning } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { goTimeText } from '../../src/blobInfoCache/goTimeText.ts';
import { openBlobInfoCache } from '../../src/blobInfoCache/openBlobInfoCache.ts';
import { scratch } from '../support/scratch.ts';

const [A, B, C] = ['a', 'b', 'c'].map((text) => digestOf(text)) as [never, never, never];

/** Tables with their columns, and indexes, as containers/image documents version 1 of the file. */
const SCHEMA = {
  DigestUncompressedPairs: [
    ['anyDigest', 'TEXT', 1, 1],
    ['uncompressedDigest', 'TEXT', 1, 0],
  ],
  DigestCompressors: [
    ['digest', 'TEXT', 1, 1],
    ['compressor', 'TEXT', 1, 0],
  ],
  KnownLocations: [
    ['transport', 'TEXT', 1, 1],
    ['scope', 'TEXT', 1, 2],
    ['digest', 'TEXT', 1, 3],
    ['location', 'TEXT', 1, 4],
    ['time', 'TIMESTAMP', 1, 0],
  ],
  DigestTOCUncompressedPairs: [
    ['tocDigest', 'TEXT', 1, 1],
    ['uncompressedDigest', 'TEXT', 1, 0],
  ],
  DigestSpecificVariantCompressors: [
    ['digest', 'TEXT', 1, 1],
    ['specificVariantCompressor', 'TEXT', 1, 0],
    ['specificVariantAnnotations', 'BLOB', 1, 0],
  ],
};

const hasSqlite = (() => {
  try {
    execFileSync('sqlite3', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

/** Another program on the same file. */
function sqlite(path: string, sql: string): unknown[] {
  const output = execFileSync('sqlite3', ['-json', path, sql], { encoding: 'utf8' });
  return output === '' ? [] : (JSON.parse(output) as unknown[]);
}

function newCache(path = join(scratch(), 'cache/blob-info-cache-v1.sqlite')) {
  const warnings: Warning[] = [];
  const cache = openBlobInfoCache({ path, onWarning: (warning) => warnings.push(warning) });
  return { cache, path, warnings };
}

describe('a blob-info cache', () => {
  it('knows what was recorded, also when it is opened again', () => {
    const { cache, path } = newCache();
    cache.recordPair(A, B);
    cache.recordCompressor(A, 'gzip');
    cache.recordCompressor(B, 'none');
    for (const known of [cache, openBlobInfoCache({ path })]) {
      expect(known.uncompressedDigest(A)).toBe(B);
      expect(known.uncompressedDigest(B)).toBe(B);
      expect(known.uncompressedDigest(C)).toBeUndefined();
      expect([A, B, C].map((digest) => known.compressor(digest))).toEqual(['gzip', 'none', undefined]);
      known.close();
    }
  });

  it('makes no file, and loads nothing, as long as there is nothing to record', () => {
    const { cache, path } = newCache();
    expect(cache.uncompressedDigest(A)).toBeUndefined();
    expect(cache.compressor(A)).toBeUndefined();
    cache.close();
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('is a directory of this user only', () => {
    const { cache, path } = newCache();
    cache.recordPair(A, B);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    cache.close();
    cache.close();
    expect(cache.uncompressedDigest(A)).toBeUndefined();
  });

  it('records together or not at all', () => {
    const { cache } = newCache();
    expect(() =>
      cache.together(() => {
        cache.recordPair(A, B);
        throw new RangeError('a defect');
      }),
    ).toThrow('a defect');
    expect(cache.uncompressedDigest(A)).toBeUndefined();
    cache.together(() => {
      cache.recordPair(A, B);
      cache.recordCompressor(A, 'xz');
    });
    expect([cache.uncompressedDigest(A), cache.compressor(A)]).toEqual([B, 'xz']);
    cache.close();
  });

  it.each([
    ['is no database', (path: string) => writeFileSync(path, 'no database at all'.repeat(100))],
    ['is a directory', (path: string) => mkdirSync(path)],
    ['lies below a file', (path: string) => writeFileSync(dirname(path), '')],
  ])('is off, with one warning, when the file %s', (_, spoil) => {
    const path = join(scratch(), 'below/cache');
    if (_ !== 'lies below a file') mkdirSync(dirname(path));
    spoil(path);
    const { cache, warnings } = newCache(path);
    cache.recordPair(A, B);
    cache.recordCompressor(A, 'gzip');
    expect(cache.uncompressedDigest(A)).toBeUndefined();
    expect(warnings).toEqual([{ code: 'BLOB_CACHE_OFF', path, message: expect.stringContaining(path) }]);
  });

  it('is off, and silent, for a user without a home', () => {
    const warnings: Warning[] = [];
    const saved = { ...process.env };
    try {
      Object.assign(process.env, { _CONTAINERS_ROOTLESS_UID: '1000', HOME: '', XDG_DATA_HOME: '' });
      const cache = openBlobInfoCache({ onWarning: (warning) => warnings.push(warning) });
      cache.recordPair(A, B);
      expect(cache.uncompressedDigest(A)).toBeUndefined();
    } finally {
      process.env = saved;
    }
    expect(warnings).toEqual([]);
  });
});

describe.skipIf(!hasSqlite)('the file of a blob-info cache, as sqlite3 sees it', () => {
  it('has the schema of containers/image', () => {
    const { cache, path } = newCache();
    cache.recordPair(A, B);
    for (const [table, columns] of Object.entries(SCHEMA)) {
      const found = sqlite(path, `SELECT name, type, "notnull", pk FROM pragma_table_info('${table}')`);
      expect(found.map((row) => Object.values(row as object))).toEqual(columns);
    }
    const made = sqlite(path, "SELECT name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'");
    expect(made.map((row) => (row as { name: string }).name)).toEqual([
      'DigestUncompressedPairs',
      'DigestUncompressedPairs_index_uncompressedDigest',
      'DigestCompressors',
      'KnownLocations',
      'DigestTOCUncompressedPairs',
      'DigestSpecificVariantCompressors',
    ]);
    const index = "SELECT name FROM pragma_index_info('DigestUncompressedPairs_index_uncompressedDigest')";
    expect(sqlite(path, index)).toEqual([{ name: 'uncompressedDigest' }]);
    expect(sqlite(path, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }]);
    expect(sqlite(path, 'PRAGMA user_version')).toEqual([{ user_version: 0 }]);
    expect(sqlite(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    cache.close();
  });

  it('gets the tables that an older program did not make, and keeps what that wrote', () => {
    const { cache, path } = newCache();
    mkdirSync(dirname(path));
    const table =
      'CREATE TABLE DigestUncompressedPairs(anyDigest TEXT PRIMARY KEY NOT NULL, uncompressedDigest TEXT NOT NULL)';
    sqlite(path, `${table}; INSERT INTO DigestUncompressedPairs VALUES ('${A}', '${B}')`);
    expect(cache.uncompressedDigest(A)).toBe(B);
    cache.recordCompressor(A, 'zstd');
    expect(sqlite(path, 'SELECT * FROM DigestCompressors')).toEqual([{ digest: A, compressor: 'zstd' }]);
    cache.close();
  });

  it('has the values that others write', () => {
    const { cache, path } = newCache();
    const compressions = ['none', 'gzip', 'bzip2', 'xz', 'zstd'] as const;
    for (const each of compressions) cache.recordCompressor(digestOf(each), each);
    expect(sqlite(path, 'SELECT compressor FROM DigestCompressors')).toEqual(
      ['uncompressed', 'gzip', 'bzip2', 'Xz', 'zstd'].map((compressor) => ({ compressor })),
    );
    sqlite(
      path,
      `INSERT INTO DigestSpecificVariantCompressors VALUES ('${digestOf('zstd')}', 'zstd:chunked', '{}')`,
    );
    cache.recordCompressor(digestOf('zstd'), undefined);
    expect(cache.compressor(digestOf('zstd'))).toBeUndefined();
    expect(sqlite(path, 'SELECT * FROM DigestSpecificVariantCompressors')).toEqual([]);
    const place = { transport: 'docker', scope: 'example.com', digest: A, location: 'example.com/app' };
    cache.recordLocation(place);
    cache.recordLocation(place, new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 600)));
    expect(sqlite(path, 'SELECT * FROM KnownLocations')).toEqual([
      { ...place, time: expect.stringMatching(/^2026-01-0[123] \d\d:\d\d:05\.6[+-]\d\d:\d\d$/) },
    ]);
    cache.close();
  });

  it('is not believed where it holds no digests', () => {
    const { cache, path } = newCache();
    cache.recordPair(A, B);
    sqlite(path, "UPDATE DigestUncompressedPairs SET uncompressedDigest = '../../etc/passwd'");
    sqlite(path, `INSERT INTO DigestCompressors VALUES ('${A}', 'magic')`);
    expect(cache.uncompressedDigest(A)).toBeUndefined();
    expect(cache.compressor(A)).toBeUndefined();
    cache.close();
  });

  it('waits for another program that is writing', async () => {
    const { cache, path, warnings } = newCache();
    cache.recordPair(A, B);
    const script = `BEGIN EXCLUSIVE;\n.shell echo locked\n.shell sleep 0.5\nINSERT INTO DigestCompressors VALUES ('${A}', 'gzip'); COMMIT;`;
    const other = spawn('sqlite3', [path]);
    other.stdin.end(script);
    await new Promise((resolve) => other.stdout.once('data', resolve));
    cache.recordPair(C, B);
    expect(cache.uncompressedDigest(C)).toBe(B);
    expect(cache.compressor(A)).toBe('gzip');
    expect(warnings).toEqual([]);
    cache.close();
  });

  it('is only read where it cannot be written', () => {
    const { cache, path } = newCache();
    cache.recordPair(A, B);
    cache.close();
    const bytes = readFileSync(path);
    chmodSync(path, 0o400);
    const again = newCache(path);
    expect(again.cache.uncompressedDigest(A)).toBe(B);
    again.cache.close();
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});

describe('goTimeText', () => {
  it.each([
    [0, '2026-11-21T15:56:04.000Z', '2026-11-21 15:56:04+00:00'],
    [0, '2026-11-21T15:56:00.000Z', '2026-11-21 15:56:00+00:00'],
    [0, '2026-01-02T03:04:05.120Z', '2026-01-02 03:04:05.12+00:00'],
    [330, '2026-01-02T23:04:05.001Z', '2026-01-03 04:34:05.001+05:30'],
    [-210, '2026-01-02T03:04:05Z', '2026-01-01 23:34:05-03:30'],
    [120, '2026-07-02T03:04:05Z', '2026-07-02 05:04:05+02:00'],
  ])('%i minutes east of Greenwich, at %s', (minutesEast, time, text) => {
    const date = Object.assign(new Date(time), { getTimezoneOffset: () => -minutesEast });
    expect(goTimeText(date)).toBe(text);
  });
});
