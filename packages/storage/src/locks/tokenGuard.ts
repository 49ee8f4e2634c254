import type { OpenedLock } from './lockBackend.ts';
import type { LockGuard } from './lockFile.ts';
import { readToken, writeToken } from './lockToken.ts';

/** The guard that a scope gets; it dies with the scope. */
export class TokenGuard implements LockGuard {
  readonly mode: 'read' | 'write';
  readonly #path: string;
  #lock: OpenedLock | undefined;

  constructor(path: string, mode: 'read' | 'write', lock: OpenedLock) {
    this.#path = path;
    this.mode = mode;
    this.#lock = lock;
  }

  readToken(): Buffer {
    return readToken(this.#held().fd, this.#path);
  }

  writeToken(): Buffer {
    if (this.mode === 'read')
      throw new TypeError(`lock "${this.#path}" is held for reading, not for writing`);
    return writeToken(this.#held().fd, this.#path);
  }

  /** Makes the guard unusable. */
  end(): void {
    this.#lock = undefined;
  }

  #held(): OpenedLock {
    if (this.#lock === undefined) throw new TypeError(`the scope that held lock "${this.#path}" has ended`);
    this.#lock.assertHeld();
    return this.#lock;
  }
}
