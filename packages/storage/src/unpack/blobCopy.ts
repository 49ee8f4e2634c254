import { closeSync, fchmodSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { wrapSystemError } from '@sediment/core';

/** The directories above decide who may read it. */
const MODE = 0o644;

/** Writes bytes that pass to a new file. */
export class BlobCopy {
  readonly #path: string;
  readonly #what: string;
  #fd: number | undefined;

  /**
   * @param path must not exist
   * @param what names the layer, for messages
   */
  constructor(path: string, what: string) {
    this.#path = path;
    this.#what = what;
    this.#fd = this.#io(() => openSync(path, 'wx', 0o600));
  }

  /** Does nothing once the copy was discarded: a damaged layer is read further, for its digest. */
  write(bytes: Uint8Array): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#io(() => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
    });
  }

  /** Completes and closes the file; its content is then on disk. */
  finish(): void {
    const fd = this.#fd as number;
    this.#io(() => {
      fdatasyncSync(fd);
      fchmodSync(fd, MODE);
    });
    this.#fd = undefined;
    this.#io(() => closeSync(fd));
  }

  /** Closes and removes the file; also after {@link finish}. */
  discard(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeSync(fd);
    this.#io(() => unlinkSync(this.#path));
  }

  #io<T>(fn: () => T): T {
    try {
      return fn();
    } catch (error) {
      const path = this.#path;
      throw wrapSystemError(error, `${this.#what}: keeping its blob in ${path}`, 'IO', { path });
    }
  }
}
