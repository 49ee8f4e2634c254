import type { LockBackend, OpenedLock } from './lockBackend.ts';
import { pollForLock } from './pollForLock.ts';

export interface FileHoldOptions {
  readonly backend: LockBackend;
  readonly path: string;
  readonly readOnly: boolean;
  readonly mode: 'read' | 'write';
  /** Gives up, with `undefined`, when the lock is not free at once. */
  readonly tryOnly: boolean;
}

/** Overlapping readers of one process could keep other programs' writers out for ever. */
const SHARED_LIMIT_MS = 2000;

/** Ends the waiting when nobody wants the lock any more; so nobody sees it. */
const ABANDONED = new Error('the lock is not wanted any more');

/**
 * One hold of the file lock, shared by all readers that come while it lasts. The file is opened for it
 * and closed when the last user leaves; if all users leave while the lock is still waited for, the
 * waiting ends.
 */
export class FileHold {
  readonly #options: FileHoldOptions;
  /** Made only if the lock must be waited for: making one costs more than taking a lock. */
  #waiting: AbortController | undefined;
  readonly #locked: Promise<OpenedLock | undefined>;
  #lockedAt: number | undefined;
  #users = 0;

  /** Begins to lock; the caller must {@link join} at once. */
  constructor(options: FileHoldOptions) {
    this.#options = options;
    this.#locked = this.#lock();
  }

  /** Whether the lock was held for so long that it should be released before it is used any further. */
  get isOverdue(): boolean {
    return this.#lockedAt !== undefined && performance.now() - this.#lockedAt > SHARED_LIMIT_MS;
  }

  /** Whether {@link leave} will release the lock. */
  get hasOneUser(): boolean {
    return this.#users === 1;
  }

  /**
   * Becomes a user, who must {@link leave} whatever comes of this. Rejects with the reason of `signal`.
   *
   * @returns undefined when only a try was wanted, and the lock is not free
   */
  async join(signal?: AbortSignal): Promise<OpenedLock | undefined> {
    this.#users += 1;
    return await orAborted(this.#locked, signal);
  }

  /** Ends the use; if this was the last user, resolves when the lock is released. */
  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#waiting?.abort(ABANDONED);
    const [result] = await Promise.allSettled([this.#locked]);
    if (result.status !== 'fulfilled' || result.value === undefined) return;
    await result.value.close();
  }

  async #lock(): Promise<OpenedLock | undefined> {
    const { backend, path, readOnly } = this.#options;
    const lock = await backend.open(path, readOnly);
    let locked = false;
    try {
      locked = await this.#acquire(lock);
      this.#lockedAt = performance.now();
    } finally {
      if (!locked) await lock.close();
    }
    return locked ? lock : undefined;
  }

  async #acquire(lock: OpenedLock): Promise<boolean> {
    const { mode, tryOnly } = this.#options;
    if (await lock.tryLock(mode)) return true;
    if (tryOnly) return false;
    this.#waiting = new AbortController();
    if (this.#users === 0) throw ABANDONED;
    await pollForLock(lock, mode, this.#waiting.signal);
    return true;
  }
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
