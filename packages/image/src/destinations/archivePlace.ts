import type { Stats } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errnoCode, StorageError } from '@sediment/core';
import { destinationError, destinationInvalid } from './destinationError.ts';

/** Standard output, as it is given. */
const STDOUT = ['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'];
const LINK_LIMIT = 40;

/** What an archive is to be written to. */
export type ArchivePlace =
  | { readonly kind: 'stdout' }
  /** A FIFO, a terminal, a device. */
  | { readonly kind: 'special'; readonly path: string; readonly isFifo: boolean }
  /** A file that does not exist, or whose place is taken by another. Symbolic links are followed. */
  | { readonly kind: 'file'; readonly path: string; readonly existing?: Stats };

/**
 * Looks at what is there.
 *
 * @param location as the user gave it
 * @throws {StorageError} `DESTINATION_INVALID` for a directory, or where there is no directory to write into
 */
export async function findArchivePlace(location: string): Promise<ArchivePlace> {
  if (STDOUT.includes(location)) return { kind: 'stdout' };
  const existing = await statOrMissing(location);
  if (existing === undefined) {
    const path = await followLinks(resolve(location));
    await checkParent(dirname(path), location);
    return { kind: 'file', path };
  }
  if (existing.isDirectory()) {
    throw destinationInvalid(location, `${location} is a directory`, 'give the path of a file');
  }
  if (existing.isFile()) return { kind: 'file', path: await followLinks(resolve(location)), existing };
  return { kind: 'special', path: location, isFifo: existing.isFIFO() };
}

/** Undefined where there is nothing; a link to nothing, and what would lie below a file, count as that. */
export async function statOrMissing(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return undefined;
    throw destinationError(error, `looking at ${path}`, path);
  }
}

/** Renaming onto a symbolic link would replace the link, and not the file that it leads to. */
async function followLinks(path: string, depth = 0): Promise<string> {
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (!isLink || depth > LINK_LIMIT) return path;
  return await followLinks(resolve(dirname(path), await readlink(path)), depth + 1);
}

async function checkParent(directory: string, location: string): Promise<void> {
  const found = await statOrMissing(directory);
  if (found?.isDirectory() === true) return;
  const why = found === undefined ? 'does not exist' : 'is not a directory';
  throw destinationInvalid(location, `opening ${location}: ${directory} ${why}`, 'make that directory first');
}

export function destinationExists(location: string, why: string): StorageError {
  return new StorageError('DESTINATION_EXISTS', `${location}: ${why}`, {
    path: location,
    hint: 'choose another path, or replace what is there with --overwrite',
  });
}
