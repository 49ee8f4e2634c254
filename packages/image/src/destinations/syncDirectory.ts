import { open } from 'node:fs/promises';
import { errnoCode } from '@sediment/core';

/** Makes what was renamed into a directory last, where the file system can do that. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path);
  try {
    await directory.sync();
  } catch (error) {
    // Some network file systems know no fsync of directories.
    if (errnoCode(error) !== 'EINVAL' && errnoCode(error) !== 'ENOTSUP') throw error;
  }
}
