import { statSync } from 'node:fs';
import type { Compression, Digest } from '@sediment/core';
import { APPLICATION_ID } from './indexSchema.ts';
import type { Database } from './loadSqlite.ts';
import { openIndex } from './openIndex.ts';

/** What the index knows of a blob. Times are in milliseconds since 1970. */
export interface BlobRow {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType?: string | undefined;
  readonly diffID?: Digest | undefined;
  readonly diffSize?: number | undefined;
  readonly compression?: Compression | undefined;
  readonly created: number;
  readonly lastUsed: number;
}

export interface OwnedImage {
  readonly id: string;
  readonly manifest: Digest;
  /** When it was kept, in milliseconds since 1970. */
  readonly kept: number;
}

interface RawRow {
  readonly digest: Digest;
  readonly size: number;
  readonly media_type: string | null;
  readonly diff_id: Digest | null;
  readonly diff_size: number | null;
  readonly compression: Compression | null;
  readonly created: number;
  readonly last_used: number;
}

const UPSERT = `
  INSERT INTO blobs (digest, size, media_type, diff_id, diff_size, compression, created, last_used)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (digest) DO UPDATE SET
    size = excluded.size,
    media_type = coalesce(excluded.media_type, media_type),
    diff_id = coalesce(excluded.diff_id, diff_id),
    diff_size = coalesce(excluded.diff_size, diff_size),
    compression = coalesce(excluded.compression, compression),
    last_used = max(excluded.last_used, last_used)`;

/**
 * The opened index of kept blobs: facts about them, and whose they are. Calls are synchronous and throw errors of
 * SQLite; they are made under the lock of the kept blobs.
 */
export class KeptIndex {
  readonly isFilled: boolean;
  readonly #db: Database;
  readonly #path: string;
  readonly #inode: bigint;

  constructor(path: string) {
    const { db, isFilled } = openIndex(path);
    this.#db = db;
    this.#path = path;
    this.#inode = statSync(path, { bigint: true }).ino;
    this.isFilled = isFilled;
  }

  /** False once another process has moved the file aside. */
  get isCurrent(): boolean {
    return statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino === this.#inode;
  }

  close(): void {
    this.#db.close();
  }

  /** All or nothing, and durable when it returns. */
  change<T>(fn: () => T): T {
    return this.#db.transaction(fn).immediate();
  }

  markFilled(): void {
    this.#db.pragma(`application_id = ${APPLICATION_ID}`);
  }

  /** Adds a blob, or to what is known about it. */
  put(row: BlobRow): void {
    const { digest, size, mediaType, diffID, diffSize, compression, created, lastUsed } = row;
    this.#db
      .prepare(UPSERT)
      .run(
        digest,
        size,
        mediaType ?? null,
        diffID ?? null,
        diffSize ?? null,
        compression ?? null,
        created,
        lastUsed,
      );
  }

  blob(digest: Digest): BlobRow | undefined {
    const raw = this.#db.prepare('SELECT * FROM blobs WHERE digest = ?').get(digest) as RawRow | undefined;
    return raw === undefined ? undefined : fromRaw(raw);
  }

  blobs(): BlobRow[] {
    return (this.#db.prepare('SELECT * FROM blobs').all() as RawRow[]).map(fromRaw);
  }

  forget(digest: Digest): void {
    this.#db.prepare('DELETE FROM blobs WHERE digest = ?').run(digest);
  }

  /** Notes a use of all blobs of an image. */
  touch(imageId: string, time: number): void {
    this.#db
      .prepare('UPDATE blobs SET last_used = ? WHERE digest IN (SELECT digest FROM owners WHERE image = ?)')
      .run(time, imageId);
  }

  images(): OwnedImage[] {
    return this.#db.prepare('SELECT id, manifest, kept FROM images').all() as OwnedImage[];
  }

  image(id: string): OwnedImage | undefined {
    return this.#db.prepare('SELECT id, manifest, kept FROM images WHERE id = ?').get(id) as
      | OwnedImage
      | undefined;
  }

  /** Makes an image the owner of exactly these blobs, which are in the index. */
  own(image: OwnedImage, digests: Iterable<Digest>): void {
    this.disown(image.id);
    this.#db
      .prepare('INSERT INTO images (id, manifest, kept) VALUES (?, ?, ?)')
      .run(image.id, image.manifest, image.kept);
    const insert = this.#db.prepare('INSERT OR IGNORE INTO owners (image, digest) VALUES (?, ?)');
    for (const digest of digests) insert.run(image.id, digest);
  }

  disown(imageId: string): void {
    this.#db.prepare('DELETE FROM images WHERE id = ?').run(imageId);
  }

  ownedBy(imageId: string): Digest[] {
    return this.#db.prepare('SELECT digest FROM owners WHERE image = ?').pluck().all(imageId) as Digest[];
  }

  ownersOf(digest: Digest): string[] {
    return this.#db
      .prepare('SELECT image FROM owners WHERE digest = ? ORDER BY image')
      .pluck()
      .all(digest) as string[];
  }

  /** Ids of the images that own a blob, by its digest. */
  allOwners(): Map<Digest, string[]> {
    const rows = this.#db.prepare('SELECT digest, image FROM owners ORDER BY image').all() as {
      digest: Digest;
      image: string;
    }[];
    const owners = new Map<Digest, string[]>();
    for (const { digest, image } of rows) {
      const known = owners.get(digest);
      if (known === undefined) owners.set(digest, [image]);
      else known.push(image);
    }
    return owners;
  }
}

function fromRaw(raw: RawRow): BlobRow {
  return {
    digest: raw.digest,
    size: raw.size,
    mediaType: raw.media_type ?? undefined,
    diffID: raw.diff_id ?? undefined,
    diffSize: raw.diff_size ?? undefined,
    compression: raw.compression ?? undefined,
    created: raw.created,
    lastUsed: raw.last_used,
  };
}
