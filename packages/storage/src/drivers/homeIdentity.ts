import { statSync } from 'node:fs';
import { StorageError } from '@sediment/core';

/**
 * Remembers which directory a path means, to notice when a file system was mounted over it meanwhile. A
 * bind mount of the directory on itself (which podman makes and takes away as it likes) is no change.
 */
export class HomeIdentity {
  readonly #path: string;
  readonly #identity: string;

  constructor(path: string) {
    this.#path = path;
    this.#identity = identityOf(path);
  }

  /** @throws {StorageError} `GRAPHROOT_UNUSABLE` */
  check(): void {
    if (identityOf(this.#path) === this.#identity) return;
    throw new StorageError('GRAPHROOT_UNUSABLE', `${this.#path} is not the directory that was opened`, {
      path: this.#path,
      hint: 'something was mounted over it, or it was replaced: open the store again',
    });
  }
}

function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'missing' : `${stat.dev}:${stat.ino}`;
}
