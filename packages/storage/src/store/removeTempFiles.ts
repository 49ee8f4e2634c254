import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, wrapSystemError } from '@sediment/core';

/**
 * Temporary files of the atomic writer in a directory, all or those for one file; they are live only while the
 * lock of what they are for is held.
 */
export function listTempFiles(directory: string, target = ''): string[] {
  return listDirectory(directory)
    .filter((name) => name.startsWith(`.tmp-${target}`))
    .map((name) => join(directory, name));
}

/** Removes them; call it under the write lock that guards the directory. Returns how many there were. */
export function removeTempFiles(directory: string): number {
  const paths = listTempFiles(directory);
  for (const path of paths) rmSync(path, { force: true });
  return paths.length;
}

/** Names in a directory; none if it does not exist. */
export function listDirectory(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw wrapSystemError(error, `listing ${directory}`, 'IO', { path: directory });
  }
}
