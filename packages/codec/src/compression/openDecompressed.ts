import { type Compression, isStorageError, StorageError } from '@sediment/core';
import { type DecoderOptions, decoderFor } from './decoder.ts';
import { DETECTION_BYTES, detectCompression } from './detectCompression.ts';

export interface OpenDecompressedOptions extends DecoderOptions {
  /** Names the stream in error messages (`layer 2 (sha256:…)`). */
  readonly what?: string;
}

export interface Decompressed {
  /** As seen from the first bytes. */
  readonly compression: Compression;
  /** The plain bytes; a chunk is valid until the next one is pulled. Iterate once, or call `return`. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Detects how a stream is compressed and gives its plain bytes. Reading begins at once, to see the
 * first bytes; after that the source is pulled only as `bytes` is.
 *
 * @throws {StorageError} `COMPRESSION_INVALID` from `bytes`; errors of the source pass through
 */
export async function openDecompressed(
  source: AsyncIterable<Uint8Array>,
  options: OpenDecompressedOptions = {},
): Promise<Decompressed> {
  const iterator = source[Symbol.asyncIterator]();
  const head = await readHead(iterator);
  const compression = detectCompression(head);
  const whole = prepend(head, iterator);
  if (compression === 'none') return { compression, bytes: whole };
  const { what = 'stream', output } = options;
  return { compression, bytes: named(decoderFor(compression)(whole, { output }), what) };
}

async function readHead(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < DETECTION_BYTES) {
    const kept = Uint8Array.from(head); // the source may reuse its buffer for the next chunk
    const next = await iterator.next();
    if (next.done === true) return kept;
    head = kept.length === 0 ? next.value : Buffer.concat([kept, next.value]);
  }
  return head;
}

async function* prepend(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let ended = false;
  try {
    if (head.length > 0) yield head;
    for (;;) {
      const next = await iterator.next();
      ended = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    if (!ended) await iterator.return?.();
  }
}

/** Puts the name of the stream in front of the messages of decoders, which do not know it. */
async function* named(
  bytes: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes;
  } catch (error) {
    if (!isStorageError(error, 'COMPRESSION_INVALID')) throw error;
    throw new StorageError(error.code, `${what}: ${error.message}`, {
      hint: 'the blob is damaged or incomplete; fetch it again',
      ...error.facts,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}
