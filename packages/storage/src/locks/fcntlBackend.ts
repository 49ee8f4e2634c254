import { closeSync } from 'node:fs';
import { errnoCode, wrapSystemError } from '@sediment/core';
import { ofdTryLock, ofdUnlock, sleepMicroseconds, withRealtimePriority } from '@sediment/posix';
import type { LockBackend, OpenedLock } from './lockBackend.ts';
import { openLockFile } from './openLockFile.ts';

const REST_MICROSECONDS = 5;

/**
 * Open-file-description locks on the whole file, which conflict with the POSIX record locks that the
 * Go programs take. They are only ever tried, never waited for in the kernel: a thread that is blocked
 * there cannot be stopped, and would keep the process from exiting.
 */
export const fcntlBackend: LockBackend = {
  name: 'fcntl',
  open: (path, readOnly) => new FcntlLock(path, openLockFile(path, readOnly)),
};

class FcntlLock implements OpenedLock {
  readonly fd: number;
  readonly #path: string;
  #locked = false;
  #spins = 0;

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

  /**
   * A peer that locks again at once wakes up for some microseconds. If it does so on another core, a thread
   * that never rests sees the lock free. If it does so on this thread's core, it has to be interrupted at
   * that moment: by the timer of a thread that rests shortly and goes before ordinary threads. One cannot
   * know which it will be, so every other time there are rests. (Tried with peers that hold for 250 ms on a
   * host with all cores busy: about one second in the middle, against 15 s and more without.)
   */
  spin(mode: 'read' | 'write', milliseconds: number): boolean {
    const end = performance.now() + milliseconds;
    this.#spins += 1;
    const rest = this.#spins % 2 === 0 ? REST_MICROSECONDS : 0;
    return withRealtimePriority(() => {
      do {
        if (this.tryLock(mode)) return true;
        if (rest > 0) sleepMicroseconds(rest);
      } while (performance.now() < end);
      return false;
    });
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
