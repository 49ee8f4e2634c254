import { tarEnd, tarPadding } from '@sediment/codec';
import { type Digest, StorageError } from '@sediment/core';
import type { ArchiveOutput } from './archiveOutput.ts';
import { openChecked } from './checkedBlob.ts';
import { throwIfStopped } from './destinationError.ts';
import type { NewBlob, StoredBlob } from './imageDestination.ts';
import { SerialQueue } from './serialQueue.ts';
import { stageBlob } from './stageBlob.ts';
import { oneBlockHeader, type TarEntryInput, tarHeader } from './tarEntryHeader.ts';

export interface BlobEntryOptions {
  readonly mode: number;
  nameOf(digest: Digest): string;
}

type Revise = NonNullable<ArchiveOutput['revise']>;

const EMPTY = Buffer.alloc(0);

/** Writes the entries of an outer archive, one after the other in the order of the calls. */
export class TarWriter {
  readonly #output: ArchiveOutput;
  readonly #options: BlobEntryOptions;
  readonly #queue = new SerialQueue();
  readonly #blobs = new Map<Digest, number>();
  /** Why no further entry makes sense: an entry that went down a pipe is incomplete. */
  #broken: unknown;

  constructor(output: ArchiveOutput, options: BlobEntryOptions) {
    this.#output = output;
    this.#options = options;
  }

  /** The size of a blob that was added, in bytes. */
  blobSize(digest: Digest): number | undefined {
    return this.#blobs.get(digest);
  }

  add(entry: TarEntryInput): Promise<void> {
    return this.#queue.run(async () => {
      this.#checkWhole();
      const { bytes = EMPTY } = entry;
      const blocks = [tarHeader({ ...entry, size: bytes.length }), bytes, tarPadding(bytes.length)];
      await this.#unlessBroken(() => this.#output.write(Buffer.concat(blocks)));
    });
  }

  /**
   * Adds a blob as a file that is named by its digest, unless it was added before. What is not known of it
   * is filled into its header afterwards; in a pipe, where that cannot be done, the blob is staged before. It is
   * opened when its turn comes. After a failure the archive goes on without it, but not that of a pipe.
   *
   * @throws {StorageError} `DIGEST_MISMATCH`, `SIZE_MISMATCH`, what the bytes throw, and the output's errors
   */
  addBlob(blob: NewBlob): Promise<StoredBlob> {
    const { revise } = this.#output;
    const { digest, size } = blob;
    const known = this.#known(digest);
    if (known !== undefined) return Promise.resolve(known);
    if (digest !== undefined && size !== undefined) {
      return this.#addOnce(digest, () => this.#addMeasured(openChecked(blob), { digest, size }, blob.signal));
    }
    if (revise === undefined) return this.#addStaged(blob);
    return this.#addOnce(digest, () => this.#addAndPatch(blob, revise));
  }

  /** Writes the end of the archive. */
  end(): Promise<void> {
    return this.#queue.run(async () => {
      this.#checkWhole();
      await this.#output.write(tarEnd());
    });
  }

  #known(digest: Digest | undefined): StoredBlob | undefined {
    const size = digest === undefined ? undefined : this.#blobs.get(digest);
    return digest === undefined || size === undefined ? undefined : { digest, size };
  }

  #addOnce(digest: Digest | undefined, add: () => Promise<StoredBlob>): Promise<StoredBlob> {
    return this.#queue.run(async () => {
      this.#checkWhole();
      const stored = this.#known(digest) ?? (await add());
      this.#blobs.set(stored.digest, stored.size);
      return stored;
    });
  }

  async #addMeasured(
    bytes: AsyncIterable<Uint8Array>,
    stored: StoredBlob,
    signal: AbortSignal | undefined,
  ): Promise<StoredBlob> {
    const { nameOf, mode } = this.#options;
    return await this.#undoOnFailure(async () => {
      await this.#output.write(tarHeader({ name: nameOf(stored.digest), mode, size: stored.size }));
      await this.#copy(bytes, signal);
      await this.#output.flush();
      return stored;
    });
  }

  async #addAndPatch(blob: NewBlob, { patch, truncate }: Revise): Promise<StoredBlob> {
    const { nameOf, mode } = this.#options;
    const start = this.#output.position;
    return await this.#undoOnFailure(async () => {
      const checked = openChecked(blob);
      await this.#output.write(tarHeader({ name: 'unknown', mode, size: 0 }));
      await this.#copy(checked, blob.signal);
      const { digest, size } = checked.result();
      const known = this.#known(digest);
      if (known !== undefined) await truncate(start);
      else await patch(start, oneBlockHeader(nameOf(digest), mode, size));
      return { digest, size };
    });
  }

  async #addStaged(blob: NewBlob): Promise<StoredBlob> {
    const staging = stageBlob(blob, this.#output.stagingDirectory);
    // It may fail before its turn comes.
    const ended = staging.then(
      (staged) => staged,
      () => undefined,
    );
    try {
      return await this.#addOnce(blob.digest, async () => {
        const { stored, open } = await staging;
        return (
          this.#known(stored.digest) ?? (await this.#addMeasured(open(blob.signal), stored, blob.signal))
        );
      });
    } finally {
      await (await ended)?.close();
    }
  }

  async #copy(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<void> {
    let size = 0;
    for await (const chunk of bytes) {
      throwIfStopped(signal);
      await this.#output.write(chunk);
      size += chunk.length;
    }
    await this.#output.write(tarPadding(size));
  }

  /** A file is cut where the entry began; a pipe cannot be. */
  async #undoOnFailure<T>(write: () => Promise<T>): Promise<T> {
    const { position, revise } = this.#output;
    try {
      return await write();
    } catch (error) {
      this.#broken = error;
      if (revise !== undefined) {
        await revise.truncate(position).then(
          () => {
            this.#broken = undefined;
          },
          // The archive stays broken, and says why: the first failure is the one to be told.
          () => undefined,
        );
      }
      throw error;
    }
  }

  async #unlessBroken(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#broken ??= error;
      throw error;
    }
  }

  #checkWhole(): void {
    if (this.#broken === undefined) return;
    const { location } = this.#output;
    throw new StorageError('IO', `writing ${location}: it is incomplete since an earlier failure`, {
      path: location,
      cause: this.#broken,
      hint: 'look at the earlier failure, then write the archive anew',
    });
  }
}
