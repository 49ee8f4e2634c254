import { type Digest, type DigestAlgorithm, newHasher } from '@sediment/core';
import type { LayerBytes } from './layerBytes.ts';

export interface StreamReaderOptions {
  readonly algorithm: DigestAlgorithm;
  /** Told how many bytes were read so far, after each chunk. */
  readonly onProgress?: ((bytesRead: number) => void) | undefined;
  /** Gets all bytes in order, before anybody else does. */
  readonly copy?: { write(bytes: Uint8Array): void } | undefined;
}

/** Reads a stream once and hashes it. Errors of the source pass through. */
export class StreamReader implements LayerBytes {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #options: StreamReaderOptions;
  readonly #hasher;
  #size = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>, options: StreamReaderOptions) {
    this.#iterator = source[Symbol.asyncIterator]();
    this.#options = options;
    this.#hasher = newHasher(options.algorithm);
  }

  get size(): number {
    return this.#size;
  }

  async *blocks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  async digest(): Promise<Digest> {
    while ((await this.#next()) !== undefined);
    return this.#hasher.digest();
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    // What the source has to tell after we have lost interest changes nothing.
    this.#iterator.return?.().catch(() => undefined);
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#ended) return undefined;
    const next = await this.#iterator.next();
    if (next.done === true) {
      this.#ended = true;
      return undefined;
    }
    this.#hasher.update(next.value);
    this.#options.copy?.write(next.value);
    this.#size += next.value.length;
    this.#options.onProgress?.(this.#size);
    return next.value;
  }
}
