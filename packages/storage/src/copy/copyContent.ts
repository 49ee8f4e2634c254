import { readSync } from 'node:fs';
import { errnoCode } from '@sediment/core';
import { copyFileRange, ficlone, write } from '@sediment/posix';

const CHUNK = 1 << 20;
/** The most that one call copies, in some ten milliseconds; the kernel takes less at its own discretion. */
const RANGE = 64 << 20;
const CANNOT = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY', 'EPERM', 'EBADF']);

/**
 * Copies the content of regular files by the cheapest way that works: shared blocks, a copy inside the
 * kernel, a copy through memory. What failed once is not tried again for the next file.
 */
export class ContentCopier {
  #clones = true;
  #ranges = true;
  #buffer: Buffer | undefined;
  readonly #checkpoint: () => void;

  /** @param checkpoint is called before each piece of a file, and may throw, to stop */
  constructor(checkpoint: () => void = () => undefined) {
    this.#checkpoint = checkpoint;
  }

  /**
   * Copies what `from` has to `to`, which is empty; both are at their beginning.
   *
   * @param size of the file when it was last looked at, in bytes; 0 if it does not say
   */
  copy(from: number, to: number, size: number): void {
    if (size > 0) {
      if (this.#clones) this.#clones = works(() => ficlone(to, from));
      if (this.#clones) return;
      if (this.#ranges) this.#ranges = works(() => this.#copyRanges(from, to, size));
      if (this.#ranges) return;
    }
    this.#copyThroughMemory(from, to, size);
  }

  #copyRanges(from: number, to: number, size: number): void {
    for (let copied = 0; copied < size; ) {
      this.#checkpoint();
      const length = copyFileRange(from, to, RANGE);
      if (length === 0) return;
      copied += length;
    }
  }

  /** Goes on at the file offsets, where a copy inside the kernel may have stopped. */
  #copyThroughMemory(from: number, to: number, size: number): void {
    this.#buffer ??= Buffer.allocUnsafeSlow(CHUNK);
    const chunk = this.#buffer;
    for (let copied = 0; copied < size || size === 0; ) {
      this.#checkpoint();
      const length = readSync(from, chunk, 0, CHUNK, null);
      if (length === 0) return;
      write(to, length === CHUNK ? chunk : chunk.subarray(0, length));
      copied += length;
    }
  }
}

/** @returns false when the file system or kernel has no such call */
function works(call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (CANNOT.has(errnoCode(error) ?? '')) return false;
    throw error;
  }
}
