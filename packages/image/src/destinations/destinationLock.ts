/**
 * Keeps writers of one destination apart, by `proper-lockfile`: a directory `<name>.lock` that its holder
 * touches every second. Other programs do not know it; what they see changes by renames alone.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoCode, StorageError } from '@sediment/core';
import { onDestination, throwIfStopped } from './destinationError.ts';

/** A holder that did not touch its lock for so long counts as dead, in milliseconds. */
export const STALE_MS = 10_000;
/** The shortest interval that the package knows, so that a dead holder shows early. */
const REFRESH_MS = 1000;
const POLL_MS = 50;

export interface LockRequest {
  /** What is locked. It need not exist. */
  readonly path: string;
  /** The directory that is the lock; it must be possible to make it. */
  readonly lockPath: string;
  /**
   * How long to wait for another writer, in milliseconds; more than a second. One that seems to be dead is
   * waited for until its lock can be taken over.
   */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

export interface DestinationLock {
  /** @throws {StorageError} `DESTINATION_BUSY` if the lock was lost, as this process did not run for long */
  assertHeld(): void;
  release(): Promise<void>;
}

/**
 * Takes the lock of a destination. It goes with the process, but for a process that was killed: others
 * then take it over after {@link STALE_MS}.
 *
 * @throws {StorageError} `DESTINATION_BUSY`, `ABORTED`, `PERMISSION_DENIED`, `NO_SPACE`, `IO`
 */
export async function lockDestination(request: LockRequest): Promise<DestinationLock> {
  const { path, lockPath, waitMs, signal } = request;
  const deadline = Date.now() + waitMs;
  let firstTouch: number | undefined;
  for (;;) {
    throwIfStopped(signal);
    const lock = await tryLock(path, lockPath);
    if (lock !== undefined) return lock;
    const touch = await lastTouch(lockPath);
    firstTouch ??= touch;
    // A holder that is alive has touched it meanwhile.
    const isAlive = touch !== undefined && touch !== firstTouch;
    if (isAlive && Date.now() >= deadline) throw busy(path, lockPath);
    await sleep(POLL_MS);
  }
}

/** Whether somebody holds the lock and is alive. */
export async function isLocked(path: string, lockPath: string): Promise<boolean> {
  const { check } = await loadLockfile();
  return await onDestination(`looking at the lock ${lockPath}`, lockPath, () =>
    check(path, { realpath: false, lockfilePath: lockPath, stale: STALE_MS }),
  );
}

async function tryLock(path: string, lockPath: string): Promise<DestinationLock | undefined> {
  const { lock } = await loadLockfile();
  let lost: Error | undefined;
  const acquire = async () => {
    try {
      return await lock(path, {
        realpath: false,
        lockfilePath: lockPath,
        stale: STALE_MS,
        update: REFRESH_MS,
        onCompromised: (error) => {
          lost = error;
        },
      });
    } catch (error) {
      if (errnoCode(error) === 'ELOCKED') return undefined;
      throw error;
    }
  };
  const unlock = await onDestination(`locking ${path}`, path, acquire);
  if (unlock === undefined) return undefined;
  return {
    assertHeld() {
      if (lost !== undefined) throw lockLost(path, lost);
    },
    async release() {
      if (lost === undefined) await onDestination(`unlocking ${path}`, path, unlock);
    },
  };
}

/** Loaded here and not before: the package listens to the signals of the process. */
async function loadLockfile(): Promise<typeof import('proper-lockfile')> {
  return (await import('proper-lockfile')).default;
}

/** In milliseconds since 1970; undefined when the lock is gone. */
async function lastTouch(lockPath: string): Promise<number | undefined> {
  try {
    return (await stat(lockPath)).mtimeMs;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function busy(path: string, lockPath: string): StorageError {
  return new StorageError('DESTINATION_BUSY', `${path}: another program is writing to it`, {
    path,
    hint: `wait for that program to end; its lock is ${lockPath}`,
  });
}

function lockLost(path: string, cause: Error): StorageError {
  const message = `${path}: the lock was lost while it was held: ${cause.message}`;
  return new StorageError('DESTINATION_BUSY', message, {
    path,
    cause,
    hint: `another program took it, as this one did not run for ${STALE_MS / 1000} s: try again`,
  });
}
