/**
 * The steps that lead from one version of the schema to the next; `user_version` is their number. A step that was
 * published is never changed. Times are in milliseconds since 1970, sizes in bytes.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE blobs (
     digest TEXT PRIMARY KEY NOT NULL,
     size INTEGER NOT NULL,
     media_type TEXT,
     diff_id TEXT,
     diff_size INTEGER,
     compression TEXT,
     created INTEGER NOT NULL,
     last_used INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX blobs_by_diff_id ON blobs (diff_id) WHERE diff_id IS NOT NULL;
   CREATE TABLE images (
     id TEXT PRIMARY KEY NOT NULL,
     manifest TEXT NOT NULL,
     kept INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE owners (
     image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
     digest TEXT NOT NULL REFERENCES blobs (digest) ON DELETE CASCADE,
     PRIMARY KEY (image, digest)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX owners_by_digest ON owners (digest);`,
];

/** Marks an index that was filled; one without it was interrupted. "Sedi" in ASCII. */
export const APPLICATION_ID = 0x53656469;
