import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode } from '@sediment/core';
import { onDestination } from './destinationError.ts';
import { type DestinationLock, isLocked, lockDestination, STALE_MS } from './destinationLock.ts';
import { forgetLeft, removeOnExit } from './leftOnExit.ts';
import { temporariesIn, temporaryName } from './temporaryName.ts';

const LOCK = 'lock';

/**
 * A hidden directory inside a destination that is a directory, where blobs lie until they are complete and
 * the image is. It carries a lock of its own, by which others see that its writer is alive.
 */
export interface StagingDirectory {
  readonly path: string;
  /** @throws {StorageError} `DESTINATION_BUSY` if somebody took this writer for dead */
  assertHeld(): void;
  /** Removes it with what is left in it. */
  remove(): Promise<void>;
}

/** @throws {StorageError} `PERMISSION_DENIED`, `NO_SPACE`, `IO`, `ABORTED` */
export async function makeStagingDirectory(destination: string): Promise<StagingDirectory> {
  return await onDestination(`writing into ${destination}`, destination, async () => {
    await removeForsaken(destination);
    const path = join(destination, temporaryName(''));
    await mkdir(path, { mode: 0o700 });
    removeOnExit(path);
    const remove = async (lock?: DestinationLock) => {
      await lock?.release();
      // A blob that is still being written may come in between.
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      forgetLeft(path);
    };
    try {
      const lock = await lockDestination({ path, lockPath: join(path, LOCK), waitMs: 2000 });
      return { path, assertHeld: () => lock.assertHeld(), remove: () => remove(lock) };
    } catch (error) {
      await remove();
      throw error;
    }
  });
}

/** Whether an entry of the destination is a staging directory, of this program or another. */
export async function stagingNames(destination: string): Promise<string[]> {
  return await temporariesIn(destination, '');
}

/** What writers left that were killed: their locks have not been touched for long. */
async function removeForsaken(destination: string): Promise<void> {
  for (const path of await stagingNames(destination)) {
    if (await isLocked(path, join(path, LOCK))) continue;
    // Between making the directory and its lock there is a moment.
    if (await isOld(path)) await rm(path, { recursive: true, force: true });
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > STALE_MS;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return false;
    throw error;
  }
}
