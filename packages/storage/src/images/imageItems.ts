import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import { atomicWrite } from '../records/atomicWrite.ts';
import { makePrivateDirectory } from '../store/makePrivateDirectory.ts';
import type { StorePaths } from '../store/storePaths.ts';

/** Writes one document of an image; the record that names it is the caller's. */
export async function writeImageItem(
  paths: StorePaths,
  imageId: string,
  item: { readonly name: string; readonly bytes: Uint8Array },
): Promise<void> {
  const path = paths.imageItem(imageId, item.name);
  try {
    makePrivateDirectory(dirname(path));
    await atomicWrite(path, item.bytes, { sync: true });
  } catch (error) {
    throw wrapSystemError(error, `writing ${item.name} of image ${imageId}`, 'IO', { path, object: imageId });
  }
}

/** @throws {StorageError} `BIG_DATA_UNKNOWN` when the file is missing */
export function readImageItem(paths: StorePaths, imageId: string, name: string): Buffer {
  const path = paths.imageItem(imageId, name);
  try {
    return readFileSync(path);
  } catch (error) {
    const what = `locating item named "${name}" for image with ID "${imageId}"`;
    if (errnoCode(error) !== 'ENOENT') throw wrapSystemError(error, what, 'IO', { path, object: imageId });
    throw new StorageError('BIG_DATA_UNKNOWN', `${what}: file does not exist`, {
      object: imageId,
      path,
      hint: 'remove the image and import it again',
      cause: error,
    });
  }
}
