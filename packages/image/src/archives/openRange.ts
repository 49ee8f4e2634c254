import { open } from 'node:fs/promises';
import { StorageError, wrapSystemError } from '@sediment/core';
import type { BlobRange, OpenBytes } from '@sediment/storage';
import { readAt } from './fileBytes.ts';
import { throwIfAborted } from './throwIfAborted.ts';

const CHUNK_LENGTH = 256 * 1024;

/**
 * The bytes of a range, read as they are asked for; the file is open only while they are. They throw
 * `TAR_TRUNCATED` if the file has become shorter, `IO` and `ABORTED`.
 *
 * @param what names the bytes in messages
 */
export function openRange({ path, offset, length }: BlobRange, what: string): OpenBytes {
  return async function* read(signal) {
    throwIfAborted(signal);
    if (length === 0) return;
    await using file = await reading(what, path, () => open(path));
    for (let done = 0; done < length; ) {
      throwIfAborted(signal);
      const wanted = Math.min(CHUNK_LENGTH, length - done);
      const chunk = await reading(what, path, () => readAt(file, offset + done, wanted));
      if (chunk.length === 0) throw truncated(what, path, { expected: length, actual: done });
      done += chunk.length;
      yield chunk;
    }
  };
}

async function reading<T>(what: string, path: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    throw wrapSystemError(error, `reading ${what}`, 'IO', { path });
  }
}

function truncated(
  what: string,
  path: string,
  lengths: { readonly expected: number; readonly actual: number },
): StorageError {
  return new StorageError('TAR_TRUNCATED', `${what}: the file became shorter while it was being read`, {
    path,
    ...lengths,
    hint: 'do not change the source while it is being read',
  });
}
