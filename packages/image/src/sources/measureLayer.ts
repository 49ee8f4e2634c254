import { createReadStream } from 'node:fs';
import { openDecompressed } from '@sediment/codec';
import { type Digest, newHasher, wrapSystemError } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';
import { abortedError } from '../archives/throwIfAborted.ts';

export interface MeasuredLayer {
  /** Of the uncompressed tar. */
  readonly diffID: Digest;
  readonly diffSize: number;
}

/**
 * Decompresses a layer only to learn what it is. Layers are measured where the source does not say
 * and unpacking has not told: it costs a second reading.
 *
 * @param what names the layer in messages
 * @throws {StorageError} `COMPRESSION_INVALID`, `ABORTED`, `IO`
 */
export async function measureLayer(
  blob: BlobRange,
  what: string,
  signal?: AbortSignal,
): Promise<MeasuredLayer> {
  if (blob.length === 0) return { diffID: newHasher().digest(), diffSize: 0 };
  const { path, offset, length } = blob;
  const stream = createReadStream(path, { start: offset, end: offset + length - 1, signal });
  const hasher = newHasher();
  let diffSize = 0;
  try {
    for await (const chunk of (await openDecompressed(stream)).bytes) {
      hasher.update(chunk);
      diffSize += chunk.length;
    }
  } catch (error) {
    throw signal?.aborted === true
      ? abortedError(signal)
      : wrapSystemError(error, `reading ${what}`, 'IO', { path });
  } finally {
    stream.destroy();
  }
  return { diffID: hasher.digest(), diffSize };
}
