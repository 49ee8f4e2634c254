import { StorageError } from '@sediment/core';

/** The error for a file that the tar of a layer has and its tree has not. */
export function missingFile(id: string, name: Buffer, directory: string): StorageError {
  return new StorageError(
    'FILE_INTEGRITY',
    `layer "${id}" has lost its file ${JSON.stringify(name.toString())}`,
    {
      object: id,
      path: directory,
      hint: 'the layer is damaged: remove the image and import it again',
    },
  );
}
