import type { Compression, Digest, StorageError } from '@sediment/core';

/** What is known of a layer when all of it was read. */
export interface DiffFacts {
  readonly compressedDigest: Digest;
  readonly compressedSize: number;
  readonly compression: Compression;
  readonly diffDigest: Digest;
  readonly diffSize: number;
}

/** The uncompressed bytes of one layer, read once. */
export interface DiffSource {
  /** The bytes in order; each chunk is valid until the next one is asked for. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Call when {@link chunks} has ended. @throws {StorageError} when the layer is not the expected one */
  facts(): Promise<DiffFacts>;
  /** Reads what {@link chunks} has not; undefined if the blob has the expected digest or none is known. */
  mismatch(): Promise<StorageError | undefined>;
  /** Completes the copy that is to be kept, when the layer is done. */
  finish(): void;
  /** Removes the copy, after a failure. */
  discard(): void;
  /** Call last, whatever happened. */
  close(): void;
}
