/** A lock file that was opened in order to lock it once. */
export interface OpenedLock {
  readonly fd: number;
  /** Locks if that is possible at once. */
  tryLock(mode: 'read' | 'write'): boolean | Promise<boolean>;
  /** Throws `LOCK_FAILED` if the lock was lost while it was held. */
  assertHeld(): void;
  /** Unlocks if locked, and closes the file. */
  close(): void | Promise<void>;
}

/** A way to lock files against other processes. */
export interface LockBackend {
  readonly name: LockBackendName;
  /** Whether trying costs so little that it may be done in a tight loop when waiting gets long. */
  readonly spins: boolean;
  open(path: string, readOnly: boolean): OpenedLock | Promise<OpenedLock>;
}

/**
 * `fcntl`: record locks that podman and all other users of containers/storage understand.
 * `proper-lockfile`: for hosts without them; keeps out only programs that use the same package.
 */
export type LockBackendName = 'fcntl' | 'proper-lockfile';
