import { closeSync } from 'node:fs';
import { errnoCode, wrapSystemError } from '@sediment/core';
import { ofdTryLock, ofdUnlock } from '@sediment/posix';
import type { LockBackend, OpenedLock } from './lockBackend.ts';
import { openLockFile } from './openLockFile.ts';

/**
 * Open-file-description locks on the whole file, which conflict with the POSIX record locks that the
 * Go programs take. They are only ever tried, never waited for in the kernel: a thread that is blocked
 * there cannot be stopped, and would keep the process from exiting.
 */
export const fcntlBackend: LockBackend = {
  name: 'fcntl',
  spins: true,
  open: (path, readOnly) => new FcntlLock(path, openLockFile(path, readOnly)),
};

class FcntlLock implements OpenedLock {
  readonly fd: number;
  readonly #path: string;
  #locked = false;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.fd = fd;
  }

  tryLock(mode: 'read' | 'write'): boolean {
    try {
      this.#locked = ofdTryLock(this.fd, mode);
    } catch (error) {
      if (errnoCode(error) === 'EINTR') return false;
      throw wrapSystemError(error, `locking ${this.#path}`, 'LOCK_FAILED', {
        path: this.#path,
        hint: 'the file system must support fcntl locks: use a local one, or NFS with its lock service',
      });
    }
    return this.#locked;
  }

  /** The kernel takes no lock away. */
  assertHeld(): void {
    if (!this.#locked) throw new TypeError(`lock "${this.#path}" is not held`);
  }

  /** Unlocks before closing: a child that is between fork and exec still has this description. */
  close(): void {
    try {
      if (this.#locked) ofdUnlock(this.fd);
    } finally {
      this.#locked = false;
      closeSync(this.fd);
    }
  }
}
