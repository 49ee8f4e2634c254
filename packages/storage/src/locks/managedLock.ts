import { StorageError } from '@sediment/core';
import { FileHold } from './fileHold.ts';
import type { LockBackend, OpenedLock } from './lockBackend.ts';
import type { LockFile, LockGuard, LockRank, LockWaitOptions, TryResult } from './lockFile.ts';
import { assertLockOrder, runHolding } from './lockOrder.ts';
import { LockQueue } from './lockQueue.ts';
import { TokenGuard } from './tokenGuard.ts';

type Mode = LockGuard['mode'];
type Scope<T> = (guard: LockGuard) => Promise<T> | T;

export interface ManagedLockOptions {
  readonly path: string;
  readonly rank: LockRank;
  readonly readOnly: boolean;
  readonly backend: LockBackend;
}

/**
 * The lock object of a path: first a turn in the queue of this process, then the lock on the file, which
 * readers share. The file is opened anew whenever the first of them comes.
 */
export class ManagedLock implements LockFile {
  readonly path: string;
  readonly rank: LockRank;
  readonly readOnly: boolean;
  readonly backend: LockBackend;
  readonly #queue = new LockQueue(() => this.#hold?.isOverdue !== true);
  #hold: FileHold | undefined;

  constructor({ path, rank, readOnly, backend }: ManagedLockOptions) {
    this.path = path;
    this.rank = rank;
    this.readOnly = readOnly;
    this.backend = backend;
  }

  async withRead<T>(fn: Scope<T>, options: LockWaitOptions = {}): Promise<T> {
    assertLockOrder(this);
    return await this.#locked('read', fn, options.signal);
  }

  async withWrite<T>(fn: Scope<T>, options: LockWaitOptions = {}): Promise<T> {
    this.#assertWritable();
    assertLockOrder(this);
    return await this.#locked('write', fn, options.signal);
  }

  async tryWrite<T>(fn: Scope<T>): Promise<TryResult<T>> {
    this.#assertWritable();
    assertLockOrder(this);
    if (!this.#queue.tryAcquire('write')) return { acquired: false };
    const hold = this.#newHold('write', true);
    return await this.#releasing('write', hold, async () => {
      const lock = await hold.join();
      return lock === undefined
        ? { acquired: false }
        : { acquired: true, value: await this.#run('write', lock, fn) };
    });
  }

  async #locked<T>(mode: Mode, fn: Scope<T>, signal: AbortSignal | undefined): Promise<T> {
    await this.#namingAbort(signal, this.#queue.acquire(mode, signal));
    this.#hold ??= this.#newHold(mode, false);
    const hold = this.#hold;
    return await this.#releasing(mode, hold, async () => {
      const lock = await this.#namingAbort(signal, hold.join(signal));
      if (lock === undefined) throw new TypeError(`lock "${this.path}" was only tried`);
      return await this.#run(mode, lock, fn);
    });
  }

  #newHold(mode: Mode, tryOnly: boolean): FileHold {
    const { backend, path, readOnly } = this;
    return new FileHold({ backend, path, readOnly, mode, tryOnly });
  }

  async #run<T>(mode: Mode, lock: OpenedLock, fn: Scope<T>): Promise<T> {
    const guard = new TokenGuard(this.path, mode, lock);
    try {
      const value = await runHolding(this, () => fn(guard));
      lock.assertHeld();
      return value;
    } finally {
      guard.end();
    }
  }

  /** Runs `body`, which joins `hold`, and leaves the hold and the queue afterwards. */
  async #releasing<T>(mode: Mode, hold: FileHold, body: () => Promise<T>): Promise<T> {
    let value: T;
    try {
      value = await body();
    } catch (error) {
      await this.#leave(mode, hold).catch((second: unknown) => this.#reportSecond(second));
      throw error;
    }
    await this.#leave(mode, hold);
    return value;
  }

  async #leave(mode: Mode, hold: FileHold): Promise<void> {
    // Who comes while the file is being unlocked must open it anew.
    if (hold.hasOneUser && this.#hold === hold) this.#hold = undefined;
    try {
      await hold.leave();
    } finally {
      this.#queue.release(mode);
    }
  }

  /** A failure to release must not hide why the scope failed. */
  #reportSecond(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    process.emitWarning(`releasing lock "${this.path}": ${text}`, {
      type: 'SedimentWarning',
      code: 'LOCK_FAILED',
    });
  }

  async #namingAbort<T>(signal: AbortSignal | undefined, waiting: Promise<T>): Promise<T> {
    try {
      return await waiting;
    } catch (error) {
      if (signal?.aborted !== true || error !== signal.reason) throw error;
      throw new StorageError('ABORTED', `waiting for lock "${this.path}" was aborted`, {
        path: this.path,
        cause: error,
      });
    }
  }

  #assertWritable(): void {
    if (!this.readOnly) return;
    throw new StorageError('STORE_READ_ONLY', `lock "${this.path}" is not a read-write lock`, {
      path: this.path,
      hint: 'it guards an additional store, which is never written',
    });
  }
}
