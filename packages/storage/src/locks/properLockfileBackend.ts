import { closeSync } from 'node:fs';
import { errnoCode, StorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
import type { LockBackend, OpenedLock } from './lockBackend.ts';
import { openLockFile } from './openLockFile.ts';

type ProperLockfile = typeof import('proper-lockfile');

/** A holder that did not refresh its lock for so long counts as dead. */
const DEFAULT_STALE_MS = 30_000;

/**
 * Locks by the directory `<lock file>.lock`, which its holder refreshes and others remove when it is
 * stale. Always exclusive: readers of different processes wait for each other. Programs that use fcntl
 * locks are not kept out; the warning `LOCK_FALLBACK` says so at the first use. A process that was
 * killed blocks the others until its lock is stale.
 */
export function properLockfileBackend(onWarning: WarningHandler, staleMs = DEFAULT_STALE_MS): LockBackend {
  let loading: Promise<ProperLockfile> | undefined;
  return {
    name: 'proper-lockfile',
    async open(path, readOnly) {
      if (loading === undefined) warn(onWarning, path);
      // Loaded here and not before: the package listens to the signals of the process.
      loading ??= import('proper-lockfile').then((module) => module.default);
      const lockfile = await loading;
      return new DirectoryLock({ lockfile, path, fd: openLockFile(path, readOnly), staleMs });
    },
  };
}

function warn(onWarning: WarningHandler, path: string): void {
  onWarning({
    code: 'LOCK_FALLBACK',
    message: `${path}: fcntl locks cannot be used here; programs like podman must not use the store meanwhile`,
    path,
  });
}

interface DirectoryLockOptions {
  readonly lockfile: ProperLockfile;
  readonly path: string;
  readonly fd: number;
  readonly staleMs: number;
}

class DirectoryLock implements OpenedLock {
  readonly fd: number;
  readonly #options: DirectoryLockOptions;
  #unlock: (() => Promise<void>) | undefined;
  #lost: Error | undefined;

  constructor(options: DirectoryLockOptions) {
    this.#options = options;
    this.fd = options.fd;
  }

  async tryLock(): Promise<boolean> {
    const { lockfile, path, staleMs } = this.#options;
    try {
      this.#unlock = await lockfile.lock(path, {
        realpath: false,
        stale: staleMs,
        update: staleMs / 4,
        onCompromised: (error) => {
          this.#lost = error;
        },
      });
      return true;
    } catch (error) {
      if (errnoCode(error) === 'ELOCKED') return false;
      throw wrapSystemError(error, `locking ${path}`, 'LOCK_FAILED', {
        path,
        hint: `the directory ${path}.lock must be possible to make`,
      });
    }
  }

  assertHeld(): void {
    if (this.#lost === undefined) return;
    const { path, staleMs } = this.#options;
    const message = `lock "${path}" was lost while it was held: ${this.#lost.message}`;
    throw new StorageError('LOCK_FAILED', message, {
      path,
      cause: this.#lost,
      hint: `another process took it, since this one did not run for ${staleMs / 1000} s: check the store`,
    });
  }

  async close(): Promise<void> {
    try {
      if (this.#lost === undefined) await this.#unlock?.();
    } finally {
      closeSync(this.fd);
    }
  }
}
