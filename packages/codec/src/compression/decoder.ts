import type { Compression } from '@sediment/core';
import { gunzip } from './gzip.ts';

export interface DecoderOptions {
  /**
   * Offers memory for the next chunk, which is then not copied to where it shall go; it is the decoder's until it yields
   * that chunk, which fills it unless it is the last one. Undefined if there is none. Decoders may ignore it.
   */
  readonly output?: (() => Buffer | undefined) | undefined;
}

/**
 * Decompresses a stream. A chunk of the source is valid until the next one is pulled, and so is a
 * yielded chunk: buffers are reused. Damaged, truncated or trailing bytes end in
 * `COMPRESSION_INVALID`; errors of the source pass through.
 */
export type Decoder = (
  source: AsyncIterable<Uint8Array>,
  options?: DecoderOptions,
) => AsyncIterable<Uint8Array>;

type Compressed = Exclude<Compression, 'none'>;

/** Decoders that not every program needs load their code on first use. */
const DECODERS: Record<Compressed, Decoder> = {
  gzip: gunzip,
  zstd: lazily(async () => (await import('./zstd.ts')).chooseZstdDecoder()),
  xz: lazily(async () => (await import('./xz.ts')).decodeXz),
  bzip2: lazily(async () => (await import('./bzip2.ts')).decodeBzip2),
};

/**
 * Replaces the decoder of one kind for this thread: `storage` registers the system's libzstd, which
 * is faster than what this package can bring along.
 */
export function registerDecoder(compression: Compression, decoder: Decoder): void {
  if (compression === 'none') throw new TypeError('compression "none" has no decoder');
  DECODERS[compression] = decoder;
}

/** The decoder of one kind; for `none` it hands the source through. */
export function decoderFor(compression: Compression): Decoder {
  return compression === 'none' ? (source) => source : DECODERS[compression];
}

function lazily(load: () => Promise<Decoder>): Decoder {
  return async function* decode(source, options) {
    const decoder = await load();
    yield* decoder(source, options);
  };
}
