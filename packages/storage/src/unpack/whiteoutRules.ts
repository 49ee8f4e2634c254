import type { TarHeader } from '@sediment/codec';
import { StorageError } from '@sediment/core';
import type { PosixStat } from '@sediment/posix';
import type { EntryPath } from './entryPath.ts';
import type { OpenDirectory } from './openDirectory.ts';
import type { RegularFile } from './regularFile.ts';
import { whiteoutTarget } from './whiteoutName.ts';

/** What became of an entry: nothing is left to do, or its content goes into a file. */
export type Outcome = 'done' | RegularFile;

/** How deletions in a layer become part of the tree: the part in which the two engines differ. */
export interface WhiteoutRules {
  /** Takes an entry that is not to be made as it is; undefined for all others. */
  intercept(header: TarHeader, path: EntryPath): Outcome | undefined;
  /** Told of each entry that was made. */
  made(directory: OpenDirectory, path: EntryPath): void;
  /** Told of a directory that was made where `replaced` stood before. */
  madeDirectoryInsteadOf(replaced: PosixStat, directory: OpenDirectory, base: Buffer): void;
  /** Called once when all entries are unpacked. */
  finish(): void;
  /** Closes what is open, after success or failure. */
  close(): void;
}

/**
 * The name that the whiteout `path` deletes.
 *
 * @throws {StorageError} `UNPACK_UNSAFE` for `.wh.`, `.wh..` and `.wh...`, which would delete the
 *   directory itself or its parent (containers/storage tries to, in `pkg/archive` `UnpackLayer`)
 */
export function deletedName(path: EntryPath): Buffer {
  const target = whiteoutTarget(path.base);
  if (target !== undefined) return target;
  throw new StorageError('UNPACK_UNSAFE', 'a whiteout without a name would delete a whole directory');
}
