import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import type { Disk } from '../durability/disk.ts';
import { atomicWrite } from '../records/atomicWrite.ts';
import { makePrivateDirectory } from '../store/makePrivateDirectory.ts';

/**
 * Writes a file of a container's directory as a whole, mode 0600, with the directories on the way to it.
 *
 * @param file relative to the directory, and inside of it
 */
export async function writeContainerFile(
  directory: string,
  file: string,
  { bytes, disk }: { readonly bytes: Uint8Array; readonly disk: Disk },
): Promise<void> {
  const path = pathInside(directory, file);
  try {
    makePrivateDirectory(dirname(path));
    await atomicWrite(path, bytes, { sync: true });
    await disk.named(path);
  } catch (error) {
    throw wrapSystemError(error, `writing ${path}`, 'IO', { path });
  }
}

/** @throws {StorageError} `IO`; when there is no such file, its `errnoCode` is `ENOENT` */
export function readContainerFile(directory: string, file: string): Buffer {
  const path = pathInside(directory, file);
  try {
    return readFileSync(path);
  } catch (error) {
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}

function pathInside(directory: string, file: string): string {
  const relative = normalize(file);
  if (relative !== '.' && !relative.startsWith('/') && relative.split('/')[0] !== '..') {
    return join(directory, relative);
  }
  throw new RangeError(`file: ${JSON.stringify(file)} is not the path of a file inside of the directory`);
}
