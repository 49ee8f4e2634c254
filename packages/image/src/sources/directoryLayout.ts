import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import type { LayoutFiles } from './layoutFiles.ts';

/**
 * An OCI layout in a directory. Symbolic links are followed: the directory is the user's own, and
 * build tools link blobs from their caches. Whatever they lead to must have the right digest.
 */
export function directoryLayout(location: string): LayoutFiles {
  const describe = (path: string) => join(location, path);
  return {
    transport: 'oci',
    location,
    describe,
    find: async (path) => {
      const file = describe(path);
      const length = await regularFileSize(file);
      return length === undefined ? undefined : { path: file, offset: 0, length };
    },
    close: async () => undefined,
  };
}

/** Checked before it is opened: opening a pipe could wait for ever. */
async function regularFileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (error) {
    const errno = errnoCode(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
  throw new StorageError('ARCHIVE_INVALID', `${path} is not a regular file`, {
    path,
    hint: 'an OCI layout consists of regular files only: make it anew',
  });
}
