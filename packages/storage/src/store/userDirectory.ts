import { join } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import { makePrivateDirectory } from './makePrivateDirectory.ts';

/**
 * The directory that belongs to whoever works with an object; the store only makes and removes it.
 *
 * @param directory what the store keeps of the object
 */
export function userDirectory(directory: string): string {
  return join(directory, 'userdata');
}

/**
 * Makes the directory, if it is missing, and returns its path.
 *
 * @param owner the object, such as `container <id>`
 */
export function makeUserDirectory(directory: string, owner: string): string {
  const path = userDirectory(directory);
  try {
    makePrivateDirectory(path);
  } catch (error) {
    throw wrapSystemError(error, `making ${path} of ${owner}`, 'IO', { path });
  }
  return path;
}
