import { stat } from 'node:fs/promises';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';

/**
 * A whole file as a range; undefined if there is none. Symbolic links are followed: the directory is the user's
 * own, and build tools link blobs from their caches. Whatever they lead to must have the right digest.
 *
 * Its type is checked before it is opened: opening a pipe could wait for ever.
 *
 * @throws {StorageError} `ARCHIVE_INVALID` when it is no regular file; system errors
 */
export async function regularFile(path: string): Promise<BlobRange | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) return { path, offset: 0, length: found.size };
  } catch (error) {
    const errno = errnoCode(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
  throw new StorageError('ARCHIVE_INVALID', `${path} is not a regular file`, {
    path,
    hint: 'images in directories consist of regular files only: make it anew',
  });
}
