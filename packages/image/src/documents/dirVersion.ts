import { StorageError } from '@sediment/core';

const VERSION = /^Directory Transport Version: (\d+)\.(\d+)\n$/;

/**
 * Checks the `version` file of a `dir` image: 1.1, or 1.2 for digests of other algorithms than sha256.
 *
 * @param path of the file
 * @throws {StorageError} `ARCHIVE_INVALID` for a text of another form, `NOT_SUPPORTED` for a later version
 */
export function checkDirVersion(text: string, path: string): void {
  const match = VERSION.exec(text);
  if (match === null) {
    throw new StorageError(
      'ARCHIVE_INVALID',
      `${path}: invalid version format ${JSON.stringify(text.slice(0, 80))}`,
      {
        path,
        hint: 'it is no image directory of skopeo, or it is damaged: make it anew',
      },
    );
  }
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (major === 1 && minor <= 2) return;
  throw new StorageError(
    'NOT_SUPPORTED',
    `unsupported directory transport version ${JSON.stringify(text)} at ${path}`,
    {
      path,
      expected: '1.2',
      actual: `${major}.${minor}`,
      hint: 'copy the image with the tool that wrote it',
    },
  );
}
