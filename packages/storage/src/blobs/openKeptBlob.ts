import { createReadStream } from 'node:fs';
import { verified } from '@sediment/codec';
import { isStorageError, StorageError, wrapSystemError } from '@sediment/core';
import type { KeptBlob } from './blobs.ts';
import type { BlobFile } from './layoutFiles.ts';

const CHUNK_BYTES = 256 * 1024;

/** A blob whose stream does not end unless digest and size are right. */
export function openKeptBlob(file: BlobFile): KeptBlob {
  const { digest, path, size } = file;
  return {
    digest,
    size,
    range: { path, offset: 0, length: size },
    open: (signal) => readVerified(file, signal),
  };
}

async function* readVerified(
  { digest, path, size }: BlobFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const what = `kept blob ${digest}`;
  const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES, signal });
  try {
    yield* verified(stream as AsyncIterable<Buffer>, { digest, size, what });
  } catch (error) {
    if (isStorageError(error)) throw error;
    if (signal?.aborted === true) {
      throw new StorageError('ABORTED', `reading ${what} was aborted`, { path, cause: signal.reason });
    }
    throw wrapSystemError(error, `reading ${what}`, 'IO', { path });
  }
}
