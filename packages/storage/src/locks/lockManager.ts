import { resolve } from 'node:path';
import { StorageError, type WarningHandler } from '@sediment/core';
import { fcntlBackend } from './fcntlBackend.ts';
import type { LockBackend, LockBackendName } from './lockBackend.ts';
import { LOCK_RANKS, type LockFile, type LockRank } from './lockFile.ts';
import { ManagedLock } from './managedLock.ts';
import { properLockfileBackend } from './properLockfileBackend.ts';

export interface LockManagerOptions {
  readonly backend: LockBackendName;
  /** Receives `LOCK_FALLBACK`, once, when the first lock is taken without fcntl. */
  readonly onWarning: WarningHandler;
  /** For `proper-lockfile`: after how long without a sign of life a holder counts as dead; at least 2000. */
  readonly staleMs?: number;
}

export interface LockOptions {
  readonly rank: LockRank;
  /** For locks of stores that are only read: the file is opened for reading. */
  readonly readOnly?: boolean;
}

/**
 * The lock objects of this process (of this thread, if there are several: threads exclude each other like
 * processes). An object lives as long as somebody refers to it.
 */
const registry = new Map<string, WeakRef<ManagedLock>>();
const forgotten = new FinalizationRegistry<string>((key) => {
  if (registry.get(key)?.deref() === undefined) registry.delete(key);
});

/**
 * Hands out lock objects, whichever manager is asked: one for each absolute path, and a second one where the
 * path is also that of an additional store. These two exclude each other by their file, like processes.
 */
export class LockManager {
  readonly #backend: LockBackend;

  constructor({ backend, onWarning, staleMs }: LockManagerOptions) {
    this.#backend = backend === 'fcntl' ? fcntlBackend : properLockfileBackend(onWarning, staleMs);
  }

  /**
   * The lock object of a lock file. Nothing is opened yet.
   *
   * @throws {StorageError} `LOCK_FAILED` when the path is in use by way of another backend
   * @throws {TypeError} for an unknown rank
   */
  lock(path: string, { rank, readOnly = false }: LockOptions): LockFile {
    if (!LOCK_RANKS.includes(rank)) throw new TypeError(`rank must be one of ${LOCK_RANKS.join(', ')}`);
    const absolute = resolve(path);
    const key = `${readOnly ? 'r' : 'w'}:${absolute}`;
    const known = registry.get(key)?.deref();
    if (known !== undefined) return this.#matching(known, rank);
    const lock = new ManagedLock({ path: absolute, rank, readOnly, backend: this.#backend });
    registry.set(key, new WeakRef(lock));
    forgotten.register(lock, key);
    return lock;
  }

  #matching(known: ManagedLock, rank: LockRank): ManagedLock {
    const { path } = known;
    if (known.backend.name !== this.#backend.name) {
      throw new StorageError('LOCK_FAILED', `lock "${path}" is in use by way of ${known.backend.name}`, {
        path,
        hint: 'choose the same lock backend for all stores of a process',
      });
    }
    if (known.rank !== rank) throw new TypeError(`lock "${path}" has rank ${known.rank}, not ${rank}`);
    return known;
  }
}
