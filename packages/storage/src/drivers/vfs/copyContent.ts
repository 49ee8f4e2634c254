import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { errnoCode } from '@sediment/core';
import { copyFileRange, ficlone } from '@sediment/posix';

const CHUNK = 1 << 20;
/** The most that one call copies; the kernel takes less at its own discretion. */
const RANGE = 1 << 30;
const CANNOT = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY', 'EPERM', 'EBADF']);

/**
 * Copies the content of regular files by the cheapest way that works: shared blocks, a copy inside the
 * kernel, a copy through memory. What failed once is not tried again for the next file.
 */
export class ContentCopier {
  #clones = true;
  #ranges = true;
  #buffer: Buffer | undefined;

  /** Makes `target`, which must not exist, readable by its owner only; the caller closes the descriptor. */
  copy(source: Buffer, target: Buffer): number {
    const from = openSync(source, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const to = openSync(target, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        this.#fill(from, to);
        return to;
      } catch (error) {
        closeSync(to);
        throw error;
      }
    } finally {
      closeSync(from);
    }
  }

  #fill(from: number, to: number): void {
    if (this.#clones) this.#clones = works(() => ficlone(to, from));
    if (this.#clones) return;
    if (this.#ranges) this.#ranges = works(() => copyRanges(from, to));
    if (!this.#ranges) this.#copyThroughMemory(from, to);
  }

  /** Goes on at the file offsets, where a copy inside the kernel may have stopped. */
  #copyThroughMemory(from: number, to: number): void {
    this.#buffer ??= Buffer.allocUnsafeSlow(CHUNK);
    for (;;) {
      const length = readSync(from, this.#buffer, 0, CHUNK, null);
      if (length === 0) return;
      for (let done = 0; done < length; ) done += writeSync(to, this.#buffer, done, length - done);
    }
  }
}

function copyRanges(from: number, to: number): void {
  while (copyFileRange(from, to, RANGE) > 0);
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
