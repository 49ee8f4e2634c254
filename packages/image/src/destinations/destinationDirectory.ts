import { mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoCode } from '@sediment/core';
import { destinationError, destinationInvalid, onDestination } from './destinationError.ts';
import { lockDestination } from './destinationLock.ts';
import { StagedBlobs } from './stagedBlobs.ts';
import { makeStagingDirectory, type StagingDirectory, stagingNames } from './stagingDirectory.ts';

const LOCK = '.sediment.lock';
/** A commit takes moments, unless the disk is very slow. */
const COMMIT_WAIT_MS = 30_000;

export interface DestinationDirectoryOptions {
  readonly location: string;
  /**
   * Looks whether images can be written to a directory with these entries; ours are left out.
   *
   * @throws {StorageError} `DESTINATION_INVALID`
   */
  check(path: string, entries: readonly string[]): Promise<void>;
  readonly signal?: AbortSignal;
}

/**
 * A directory that images are written into. What is written lies in a staging directory inside of it until
 * the commit, which moves it into place under a lock. So the destination may be a mount point, and the
 * directory above it need not be writable.
 */
export interface DestinationDirectory {
  readonly location: string;
  /** Absolute. */
  readonly path: string;
  /** Where files of this writer can lie; of the same file system. */
  readonly staging: string;
  readonly blobs: StagedBlobs;
  /**
   * Runs `commit` while no other writer of ours commits to the directory, after checking it once more.
   *
   * @throws {StorageError} `DESTINATION_BUSY`, `DESTINATION_INVALID`, `ABORTED`, and what `commit` throws
   */
  withLock(commit: () => Promise<void>): Promise<void>;
  /** Removes what was not moved into place. May be called twice. */
  close(): Promise<void>;
}

/**
 * Opens a directory, or makes it with those above it. Several writers may do that at one time.
 *
 * @throws {StorageError} `DESTINATION_INVALID`, `PERMISSION_DENIED`, `NO_SPACE`, `IO`, `ABORTED`
 */
export async function openDestinationDirectory(
  options: DestinationDirectoryOptions,
): Promise<DestinationDirectory> {
  const path = resolve(options.location);
  const made = await makeDirectory(path, options);
  try {
    await checkDirectory(path, options);
    const staging = await makeStagingDirectory(path);
    return opened({ path, made, staging, options });
  } catch (error) {
    await removeMade(path, made);
    throw error;
  }
}

/** The topmost directory that had to be made, if any. */
async function makeDirectory(
  path: string,
  { location }: DestinationDirectoryOptions,
): Promise<string | undefined> {
  try {
    return await makeAll(path);
  } catch (error) {
    const errno = errnoCode(error);
    if (errno !== 'EEXIST' && errno !== 'ENOTDIR')
      throw destinationError(error, `making ${location}`, location);
    throw destinationInvalid(location, `${location}: not a directory`, 'give the path of a directory');
  }
}

/**
 * As `mkdir` with `recursive`, which would say ENOENT where the reason is another one, such as EROFS.
 *
 * @returns the topmost directory that was made
 */
async function makeAll(path: string): Promise<string | undefined> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST' && (await stat(path)).isDirectory()) return undefined;
    if (errnoCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const above = await makeAll(dirname(path));
  const own = await makeAll(path);
  return above ?? own;
}

async function checkDirectory(path: string, { location, check }: DestinationDirectoryOptions): Promise<void> {
  const [all, staging] = await onDestination(`reading ${location}`, location, () =>
    Promise.all([readdir(path), stagingNames(path)]),
  );
  const ours = new Set([LOCK, ...staging.map((entry) => basename(entry))]);
  const entries = all.filter((entry) => !ours.has(entry));
  if (entries.length > 0) await check(path, entries);
}

interface Opened {
  readonly path: string;
  readonly made: string | undefined;
  readonly staging: StagingDirectory;
  readonly options: DestinationDirectoryOptions;
}

function opened({ path, made, staging, options }: Opened): DestinationDirectory {
  const { location, signal } = options;
  const stop = signal === undefined ? {} : { signal };
  let closing: Promise<void> | undefined;
  return {
    location,
    path,
    staging: staging.path,
    blobs: new StagedBlobs({ directory: staging.path, location, ...stop }),
    async withLock(commit) {
      const lock = { path, lockPath: join(path, LOCK), waitMs: COMMIT_WAIT_MS, ...stop };
      const held = await lockDestination(lock);
      try {
        staging.assertHeld();
        await checkDirectory(path, options);
        await commit();
      } finally {
        await held.release();
      }
    },
    close() {
      closing ??= staging.remove().then(() => removeMade(path, made));
      return closing;
    },
  };
}

/** Takes away the directories that were made, as long as nothing is in them. */
async function removeMade(path: string, made: string | undefined): Promise<void> {
  if (made === undefined) return;
  try {
    for (let each = path; ; each = dirname(each)) {
      await rmdir(each);
      if (each === made) return;
    }
  } catch (error) {
    if (errnoCode(error) !== 'ENOTEMPTY' && errnoCode(error) !== 'ENOENT') throw error;
  }
}
