import { closeSync, openSync, readSync } from 'node:fs';
import {
  type Digest,
  type DigestAlgorithm,
  errnoCode,
  newHasher,
  StorageError,
  wrapSystemError,
} from '@sediment/core';
import type { LayerBytes } from './layerBytes.ts';
import type { BlobRange } from './unpackJob.ts';

const BLOCK_BYTES = 1024 * 1024;

export interface BlobReaderOptions {
  /** Names the blob, for messages. */
  readonly what: string;
  readonly algorithm: DigestAlgorithm;
  /** Told how many bytes were read so far, after each block. */
  readonly onProgress?: ((bytesRead: number) => void) | undefined;
  /** Gets all bytes in order, before anybody else does. */
  readonly copy?: { write(bytes: Uint8Array): void } | undefined;
}

/** Reads a range of a file once, in order, and hashes it. */
export class BlobReader implements LayerBytes {
  readonly #blob: BlobRange;
  readonly #options: BlobReaderOptions;
  readonly #fd: number;
  readonly #hasher;
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #output: (() => Buffer | undefined) | undefined;
  #position = 0;

  constructor(blob: BlobRange, options: BlobReaderOptions) {
    this.#blob = blob;
    this.#options = options;
    this.#hasher = newHasher(options.algorithm);
    try {
      this.#fd = openSync(blob.path, 'r');
    } catch (error) {
      const missing = errnoCode(error) === 'ENOENT';
      throw wrapSystemError(error, `${options.what}: opening ${blob.path}`, missing ? 'BLOB_MISSING' : 'IO', {
        path: blob.path,
        ...(missing ? { hint: 'the file was removed meanwhile, or the archive is incomplete' } : {}),
      });
    }
  }

  get size(): number {
    return this.#position;
  }

  /**
   * The bytes in blocks of 1 MiB, or as {@link readInto} says; each is valid until the next one is asked for.
   *
   * @throws {StorageError} `ARCHIVE_INVALID` when the file ends before the range does
   */
  async *blocks(): AsyncGenerator<Uint8Array> {
    for (let block = this.#next(); block !== undefined; block = this.#next()) yield block;
  }

  readInto(output: () => Buffer | undefined): void {
    this.#output = output;
  }

  async digest(): Promise<Digest> {
    // Nobody gets the rest.
    this.#output = undefined;
    while (this.#next() !== undefined);
    return this.#hasher.digest();
  }

  close(): void {
    closeSync(this.#fd);
  }

  #next(): Uint8Array | undefined {
    const { offset, length, path } = this.#blob;
    const rest = length - this.#position;
    if (rest <= 0) return undefined;
    const memory = this.#output?.() ?? this.#block;
    const count = this.#read(memory, rest, offset + this.#position);
    if (count === 0) throw this.#endsEarly(path, offset, length);
    const block = memory.subarray(0, count);
    this.#hasher.update(block);
    this.#options.copy?.write(block);
    this.#position += count;
    this.#options.onProgress?.(this.#position);
    return block;
  }

  #read(memory: Buffer, rest: number, position: number): number {
    try {
      return readSync(this.#fd, memory, 0, Math.min(memory.length, rest), position);
    } catch (error) {
      const { path } = this.#blob;
      throw wrapSystemError(error, `${this.#options.what}: reading ${path}`, 'IO', { path });
    }
  }

  #endsEarly(path: string, offset: number, length: number): StorageError {
    return new StorageError(
      'ARCHIVE_INVALID',
      `${this.#options.what}: ${path} ends at byte ${offset + this.#position}, in the middle of the layer`,
      {
        path,
        expected: length,
        actual: this.#position,
        offset: offset + this.#position,
        hint: 'the file was cut off; fetch or write it again',
      },
    );
  }
}
