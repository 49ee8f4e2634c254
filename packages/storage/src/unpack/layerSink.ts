import { type TarHandler, type TarHeader, TarReader } from '@sediment/codec';
import { wrapSystemError } from '@sediment/core';
import { Extractor } from './extractor.ts';
import { OwnerSets } from './ownerSets.ts';
import type { FileHandover } from './split/fileHandover.ts';
import { TarSplitFile } from './tarSplitFile.ts';
import type { UnpackJob } from './unpackJob.ts';
import type { WarningTally } from './warningTally.ts';

export interface LayerSinkOptions {
  readonly job: UnpackJob;
  readonly warnings: WarningTally;
  readonly umaskIsZero: boolean;
  readonly checkpoint: () => void;
  /** Takes small files off this thread; none if undefined. */
  readonly handover?: FileHandover | undefined;
}

/**
 * Where the uncompressed bytes of a layer go: through the tar parser into the tree and the tar-split,
 * as far as the job wants them. The tar-split comes first, since it refuses paths that occur twice.
 */
export class LayerSink implements TarHandler {
  readonly owners = new OwnerSets();
  readonly #reader: TarReader;
  readonly #tarSplit: TarSplitFile | undefined;
  readonly #extractor: Extractor | undefined;

  constructor({ job, ...options }: LayerSinkOptions) {
    const { what, tree, tarSplit } = job;
    this.#reader = new TarReader(this, { what });
    this.#extractor = tree === undefined ? undefined : openTree({ ...tree, ...options, what });
    try {
      this.#tarSplit = tarSplit === undefined ? undefined : new TarSplitFile(tarSplit.path, what);
    } catch (error) {
      this.#extractor?.close();
      throw error;
    }
  }

  /** Bytes of file content written into the tree. */
  get treeBytes(): number {
    return this.#extractor?.bytesWritten ?? 0;
  }

  write(bytes: Uint8Array): void {
    this.#reader.write(bytes);
  }

  /** Call when the tar has ended. */
  end(): void {
    this.#reader.end();
  }

  /** Completes tree and tar-split; call when the layer is known to be the right one. */
  finish(): void {
    this.#extractor?.finish();
    this.#extractor?.close();
    this.#tarSplit?.finish();
  }

  /** Closes everything and removes the tar-split. The tree is the caller's to remove. */
  discard(): void {
    try {
      this.#extractor?.close();
    } finally {
      this.#tarSplit?.discard();
    }
  }

  raw(bytes: Uint8Array): void {
    this.#tarSplit?.raw(bytes);
  }

  entry(header: TarHeader): void {
    this.owners.add(header);
    this.#tarSplit?.entry(header);
    this.#extractor?.entry(header);
  }

  data(bytes: Uint8Array): void {
    this.#tarSplit?.data(bytes);
    this.#extractor?.data(bytes);
  }

  entryEnd(): void {
    this.#tarSplit?.entryEnd();
    this.#extractor?.entryEnd();
  }
}

function openTree(options: ConstructorParameters<typeof Extractor>[0]): Extractor {
  try {
    return new Extractor(options);
  } catch (error) {
    const { root, what } = options;
    throw wrapSystemError(error, `${what}: opening the directory ${root}`, 'IO', { path: root });
  }
}
