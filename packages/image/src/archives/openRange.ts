import { createReadStream } from 'node:fs';
import { StorageError, wrapSystemError } from '@sediment/core';
import type { BlobRange, OpenBytes } from '@sediment/storage';
import { abortedError } from './throwIfAborted.ts';

const CHUNK_LENGTH = 256 * 1024;

/**
 * The bytes of a range, read as they are asked for. They throw `TAR_TRUNCATED` if the file has become
 * shorter, `IO` and `ABORTED`.
 *
 * @param what names the bytes in messages
 */
export function openRange({ path, offset, length }: BlobRange, what: string): OpenBytes {
  return async function* read(signal) {
    let done = 0;
    if (length > 0) {
      const stream = createReadStream(path, {
        start: offset,
        end: offset + length - 1,
        highWaterMark: CHUNK_LENGTH,
        ...(signal === undefined ? {} : { signal }),
      });
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          done += chunk.length;
          yield chunk;
        }
      } catch (error) {
        throw signal?.aborted === true
          ? abortedError(signal)
          : wrapSystemError(error, `reading ${what}`, 'IO', { path });
      }
    }
    if (done === length) return;
    throw new StorageError('TAR_TRUNCATED', `${what}: the file became shorter while it was being read`, {
      path,
      expected: length,
      actual: done,
      hint: 'do not change the source while it is being read',
    });
  };
}
