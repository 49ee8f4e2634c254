/** A lock file that was opened in order to lock it once. */
export interface OpenedLock {
  readonly fd: number;
  /** Locks if that is possible at once. */
  tryLock(mode: 'read' | 'write'): boolean | Promise<boolean>;
  /**
   * Tries without a pause for some milliseconds. Only backends for which a try costs next to nothing have
   * this; it blocks the thread meanwhile.
   */
  spin?(mode: 'read' | 'write', milliseconds: number): boolean;
  /** Throws `LOCK_FAILED` if the lock was lost while it was held. */
  assertHeld(): void;
  /** Unlocks if locked, and closes the file. */
  close(): void | Promise<void>;
}

/** A way to lock files against other processes. */
export interface LockBackend {
  readonly name: LockBackendName;
  open(path: string, readOnly: boolean): OpenedLock | Promise<OpenedLock>;
}

/**
 * `fcntl`: record locks that podman and all other users of containers/storage understand.
 * `proper-lockfile`: for hosts without them; keeps out only programs that use the same package.
 */
export type LockBackendName = 'fcntl' | 'proper-lockfile';
