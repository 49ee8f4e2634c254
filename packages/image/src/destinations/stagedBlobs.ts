import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest } from '@sediment/core';
import { openChecked } from './checkedBlob.ts';
import { onDestination, throwIfStopped } from './destinationError.ts';
import type { NewBlob, StoredBlob } from './imageDestination.ts';
import { syncDirectory } from './syncDirectory.ts';
import { writeFully } from './writeFully.ts';

/** Of files that others may read; whatever the umask, as containers/image has it. */
const FILE_MODE = 0o644;

export interface StagedBlobsOptions {
  /** The staging directory. */
  readonly directory: string;
  /** Of the destination, for messages. */
  readonly location: string;
  readonly signal?: AbortSignal;
}

/** Blobs in a staging directory, each complete, verified and on the disk. */
export class StagedBlobs {
  readonly #options: StagedBlobsOptions;
  /** Where each lies, and how long it is. */
  readonly #blobs = new Map<Digest, { readonly path: string; readonly size: number }>();
  /** Those that are being written: whoever wants one of them waits for it. */
  readonly #pending = new Map<Digest, Promise<StoredBlob>>();

  constructor(options: StagedBlobsOptions) {
    this.#options = options;
  }

  size(digest: Digest): number | undefined {
    return this.#blobs.get(digest)?.size;
  }

  digests(): readonly Digest[] {
    return [...this.#blobs.keys()];
  }

  /** @throws {StorageError} `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `NO_SPACE`, `IO`, `ABORTED`, what the bytes throw */
  async add(blob: NewBlob): Promise<StoredBlob> {
    const { digest } = blob;
    if (digest === undefined) return await this.#write(blob);
    const size = this.size(digest);
    if (size !== undefined) return { digest, size };
    const pending = this.#pending.get(digest);
    // If the other one fails its bytes were wrong, and these may be right.
    if (pending !== undefined) return await pending.catch(() => this.add(blob));
    const writing = this.#write(blob).finally(() => this.#pending.delete(digest));
    this.#pending.set(digest, writing);
    return await writing;
  }

  /**
   * Moves all of them to their final places, of the same file system, and makes that last.
   *
   * @param pathOf absolute; the directory is made if it is missing
   */
  async moveAll(pathOf: (digest: Digest) => string): Promise<void> {
    const directories = new Set<string>();
    await onDestination(`writing into ${this.#options.location}`, this.#options.location, async () => {
      for (const [digest, { path }] of this.#blobs) {
        const final = pathOf(digest);
        const directory = dirname(final);
        if (!directories.has(directory)) await mkdir(directory, { recursive: true });
        directories.add(directory);
        await rename(path, final);
      }
      for (const directory of directories) await syncDirectory(directory);
    });
  }

  async #write(blob: NewBlob): Promise<StoredBlob> {
    const { directory, location } = this.#options;
    const path = join(directory, randomBytes(8).toString('hex'));
    const checked = openChecked(blob);
    await writeSyncedFile(path, location, async (file) => {
      let size = 0;
      for await (const chunk of checked) {
        throwIfStopped(this.#options.signal, blob.signal);
        await onDestination(`writing ${blob.what} into ${location}`, location, () =>
          writeFully(file, chunk, size),
        );
        size += chunk.length;
      }
    });
    const stored = checked.result();
    if (this.#blobs.has(stored.digest)) await rm(path);
    else this.#blobs.set(stored.digest, { path, size: stored.size });
    return stored;
  }
}

/**
 * Writes a new file that others may read, down to the disk. Nothing is left of it when that fails.
 *
 * @param location the destination, for messages
 */
export async function writeSyncedFile(
  path: string,
  location: string,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const what = `writing into ${location}`;
  const file = await onDestination(what, location, () => open(path, 'wx', FILE_MODE));
  try {
    try {
      await fill(file);
      await onDestination(what, location, async () => {
        await file.chmod(FILE_MODE);
        await file.sync();
      });
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
