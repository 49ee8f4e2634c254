import { type Compression, StorageError } from '@sediment/core';
import { parallelGzip } from './parallelGzip.ts';
import { nodeZstdEncoder } from './zstdEncoder.ts';

export interface EncoderOptions {
  /** 1 to 9 for gzip, 1 to 22 for zstd; if absent, what the encoder takes for the best. */
  readonly level?: number;
}

/**
 * Compresses a stream. A chunk of the source is valid until the next one is pulled, and so is one of the
 * result; errors of the source pass through.
 */
export type Encoder = (
  source: AsyncIterable<Uint8Array>,
  options?: EncoderOptions,
) => AsyncIterable<Uint8Array>;

/** Ends of archive names, by which upstream calls the formats. */
const EXTENSION: Readonly<Record<Compression, string>> = {
  none: 'tar',
  gzip: 'tar.gz',
  bzip2: 'tar.bz2',
  xz: 'tar.xz',
  zstd: 'tar.zst',
};

const zstd = nodeZstdEncoder();
const ENCODERS: Partial<Record<Compression, Encoder>> = {
  none: (source) => source,
  gzip: parallelGzip,
  ...(zstd === undefined ? {} : { zstd }),
};

/** Makes one kind available in this thread, or replaces it: `storage` registers the system's libzstd. */
export function registerEncoder(compression: Compression, encoder: Encoder): void {
  if (compression === 'none') throw new TypeError('compression "none" has no encoder');
  ENCODERS[compression] = encoder;
}

/**
 * The encoder of one kind; for `none` it hands the source through.
 *
 * @throws {StorageError} `COMPRESSION_UNSUPPORTED` for bzip2 and xz, which are only read, and for zstd where
 *   nothing can write it
 */
export function encoderFor(compression: Compression): Encoder {
  const encoder = ENCODERS[compression];
  if (encoder !== undefined) return encoder;
  throw new StorageError(
    'COMPRESSION_UNSUPPORTED',
    `unsupported compression format ${EXTENSION[compression]}`,
    { object: EXTENSION[compression], hint: 'ask for gzip, or for no compression' },
  );
}
