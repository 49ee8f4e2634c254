import { StorageError } from '@sediment/core';
import { type Libdeflate, loadLibdeflate } from './libdeflateLibrary.ts';

/** Makes gzip members, one at a time, in threads of libuv's pool. Whoever opened it closes it. */
export interface GzipCompressor {
  /**
   * A whole member (RFC 1952 §2.2). The block must not change until it settles; the member is valid until the next call
   * or `close`.
   *
   * @param block no longer than was said
   */
  compress(block: Uint8Array): Promise<Uint8Array>;
  /** Only when nothing is being compressed. */
  close(): void;
}

export interface GzipCompressorOptions {
  /** 1 to 9. */
  readonly level: number;
  /** The longest block that will come. */
  readonly blockBytes: number;
}

export type OpenGzipCompressor = (options: GzipCompressorOptions) => GzipCompressor;

/** Magic, deflate, no flags, no time, no hint of the level, OS "unknown" (RFC 1952 §2.3), as Go's programs have it. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/**
 * What compresses with the system's libdeflate, several times as fast as zlib; undefined when the host has none. It takes
 * whole blocks only, and each for itself.
 *
 * @param library its file name
 */
export function gzipCompressors(library?: string): OpenGzipCompressor | undefined {
  const libdeflate = loadLibdeflate(library);
  return 'reason' in libdeflate ? undefined : (options) => new LibdeflateCompressor(libdeflate, options);
}

class LibdeflateCompressor implements GzipCompressor {
  readonly #libdeflate: Libdeflate;
  readonly #compressor: unknown;
  readonly #output: Buffer;

  constructor(libdeflate: Libdeflate, { level, blockBytes }: GzipCompressorOptions) {
    this.#libdeflate = libdeflate;
    const compressor = libdeflate.allocCompressor(level);
    if (compressor === null) {
      throw new StorageError(
        'IO',
        `libdeflate cannot allocate a compressor of level ${level}: out of memory`,
      );
    }
    this.#compressor = compressor;
    this.#output = Buffer.allocUnsafeSlow(Number(libdeflate.gzipCompressBound(compressor, blockBytes)));
  }

  async compress(block: Uint8Array): Promise<Uint8Array> {
    const length = await new Promise<number>((resolve, reject) => {
      const input = { bytes: block, length: block.length };
      this.#libdeflate.gzipCompress(this.#compressor, input, this.#output, (error, result) =>
        error === null ? resolve(Number(result)) : reject(error),
      );
    });
    if (length === 0) throw new StorageError('IO', `libdeflate cannot compress ${block.length} bytes`);
    this.#output.set(HEADER);
    return this.#output.subarray(0, length);
  }

  close(): void {
    this.#libdeflate.freeCompressor(this.#compressor);
  }
}
