/**
 * The order of locks, outermost first: ours for blobs that are being written, layers that are being unpacked, and the
 * list of kept blobs, then upstream's. `leaf` is for locks that may be taken at any time and under which nothing but
 * another leaf lock is taken.
 */
export const LOCK_RANKS = [
  'blob',
  'unpack',
  'kept',
  'storage',
  'userns',
  'layers',
  'images',
  'containers',
  'mountpoints',
  'leaf',
] as const;

export type LockRank = (typeof LOCK_RANKS)[number];

/** What a scope may do with the lock that it holds. Unusable once the scope has ended. */
export interface LockGuard {
  readonly mode: 'read' | 'write';
  /** The token that the last writer left: 64 bytes, or none when nobody ever wrote. Only equality matters. */
  readToken(): Buffer;
  /**
   * Leaves a new token, which tells others to read again what the lock guards.
   *
   * @returns the 64 bytes written
   * @throws {TypeError} when the lock is held for reading
   * @throws {StorageError} `NO_SPACE`, `IO`
   */
  writeToken(): Buffer;
}

export interface LockWaitOptions {
  /** Ends the waiting with `ABORTED`; has no effect on a scope that runs. */
  readonly signal?: AbortSignal | undefined;
}

export type TryResult<T> =
  | { readonly acquired: true; readonly value: T }
  | { readonly acquired: false; readonly value?: undefined };

/**
 * A lock file, shared with other programs. The lock is held exactly as long as the scope function
 * runs, until the promise it returned is settled.
 *
 * Nesting is checked along the chain of awaited calls: taking a lock out of order, or the same lock
 * twice, fails with `LOCK_ORDER` where it would deadlock one day. Work that a scope starts but does not
 * await belongs to its chain until the scope has ended, and must not take locks before.
 *
 * Every method may throw a {@link StorageError}: `LOCK_ORDER`, `LOCK_FAILED`, `PERMISSION_DENIED`,
 * `STORE_READ_ONLY`, `NO_SPACE`, `ABORTED`.
 */
export interface LockFile {
  /** Absolute. */
  readonly path: string;
  readonly rank: LockRank;
  /** Can be locked for reading only. */
  readonly readOnly: boolean;
  withRead<T>(fn: (guard: LockGuard) => Promise<T> | T, options?: LockWaitOptions): Promise<T>;
  withWrite<T>(fn: (guard: LockGuard) => Promise<T> | T, options?: LockWaitOptions): Promise<T>;
  /** Runs `fn` under the write lock, or does nothing when that is not free at once. */
  tryWrite<T>(fn: (guard: LockGuard) => Promise<T> | T): Promise<TryResult<T>>;
}
