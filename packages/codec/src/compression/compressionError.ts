import type { Compression } from '@sediment/core';
import { StorageError } from '@sediment/core';

const HINT = 'the blob is damaged or incomplete; fetch it again';

/** `COMPRESSION_INVALID`; `offset` counts compressed bytes from the start of the stream. */
export function damaged(kind: Compression, offset: number, detail: string, cause?: unknown): StorageError {
  return new StorageError('COMPRESSION_INVALID', `${kind} data is damaged at byte ${offset}: ${detail}`, {
    offset,
    hint: HINT,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `COMPRESSION_INVALID` for a stream that ends too early. */
export function truncated(kind: Compression, offset: number): StorageError {
  return new StorageError('COMPRESSION_INVALID', `${kind} data ends unexpectedly at byte ${offset}`, {
    offset,
    hint: HINT,
  });
}

/** `COMPRESSION_INVALID` for bytes that follow the last member, frame or stream. */
export function trailingGarbage(kind: Compression, offset: number): StorageError {
  return new StorageError(
    'COMPRESSION_INVALID',
    `${kind} data is followed by bytes of another kind at byte ${offset}`,
    { offset, hint: 'cut off what follows the compressed data, or compress it again' },
  );
}
