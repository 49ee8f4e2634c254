import { join } from 'node:path';
import { StorageError } from '@sediment/core';

/** The error for a file that the tar of a layer has and its tree has not. */
export function missingFile(id: string, name: Buffer, directory: string): StorageError {
  const path = join(directory, name.toString());
  return new StorageError(
    'FILE_INTEGRITY',
    `layer "${id}" has lost a file: open ${path}: no such file or directory`,
    {
      object: id,
      path,
      hint: 'the layer is damaged: remove the image and import it again',
    },
  );
}
