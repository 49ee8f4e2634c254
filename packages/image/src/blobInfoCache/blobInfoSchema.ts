import type { Database } from 'better-sqlite3';

/**
 * Tables and indexes of the cache. Other programs look for the last one only, and make all when that is missing:
 * the order matters.
 *
 * Source: containers/image, `pkg/blobinfocache/sqlite`, version 1 of the file
 */
const ITEMS = {
  DigestUncompressedPairs: `TABLE IF NOT EXISTS DigestUncompressedPairs(
    anyDigest TEXT PRIMARY KEY NOT NULL,
    uncompressedDigest TEXT NOT NULL
  )`,
  DigestUncompressedPairs_index_uncompressedDigest: `INDEX IF NOT EXISTS
    DigestUncompressedPairs_index_uncompressedDigest ON DigestUncompressedPairs(uncompressedDigest)`,
  DigestCompressors: `TABLE IF NOT EXISTS DigestCompressors(
    digest TEXT PRIMARY KEY NOT NULL,
    compressor TEXT NOT NULL
  )`,
  KnownLocations: `TABLE IF NOT EXISTS KnownLocations(
    transport TEXT NOT NULL,
    scope TEXT NOT NULL,
    digest TEXT NOT NULL,
    location TEXT NOT NULL,
    time TIMESTAMP NOT NULL,
    PRIMARY KEY (transport, scope, digest, location)
  )`,
  DigestTOCUncompressedPairs: `TABLE IF NOT EXISTS DigestTOCUncompressedPairs(
    tocDigest TEXT PRIMARY KEY NOT NULL,
    uncompressedDigest TEXT NOT NULL
  )`,
  DigestSpecificVariantCompressors: `TABLE IF NOT EXISTS DigestSpecificVariantCompressors(
    digest TEXT PRIMARY KEY NOT NULL,
    specificVariantCompressor TEXT NOT NULL,
    specificVariantAnnotations BLOB NOT NULL
  )`,
} as const;

/** Makes what is missing, all of it in one transaction. */
export function makeBlobInfoSchema(database: Database): void {
  const last = Object.keys(ITEMS).at(-1);
  const make = database.transaction(() => {
    if (database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(last) !== undefined) return;
    for (const item of Object.values(ITEMS)) database.exec(`CREATE ${item}`);
  });
  make.exclusive();
}
