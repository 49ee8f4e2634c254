import { closeSync, openSync } from 'node:fs';
import { AT_FDCWD, AT_SYMLINK_FOLLOW, linkat, O_NOFOLLOW, O_PATH, type PosixStat } from '@sediment/posix';
import { isShortened } from '../staging/shortPath.ts';

/** The first copy of each file that has several names, so that its other names become links to it. */
export class HardLinks {
  /** By device and inode of the original. */
  readonly #first = new Map<string, Buffer>();
  readonly #held: number[] = [];

  /** @returns false when there is no copy yet */
  linkToFirst(stat: PosixStat, target: Buffer): boolean {
    const first = stat.nlink > 1 ? this.#first.get(keyOf(stat)) : undefined;
    if (first === undefined) return false;
    linkat(AT_FDCWD, first, AT_FDCWD, target, isShortened(first) ? AT_SYMLINK_FOLLOW : 0);
    return true;
  }

  remember(stat: PosixStat, target: Buffer): void {
    if (stat.nlink <= 1) return;
    this.#first.set(keyOf(stat), isShortened(target) ? this.#hold(target) : target);
  }

  close(): void {
    for (const fd of this.#held.splice(0)) closeSync(fd);
  }

  /** A path through a descriptor ends with that descriptor, so the file gets one of its own. */
  #hold(target: Buffer): Buffer {
    const fd = openSync(target, O_PATH | O_NOFOLLOW);
    this.#held.push(fd);
    return Buffer.from(`/proc/self/fd/${fd}`);
  }
}

function keyOf({ dev, ino }: PosixStat): string {
  return `${dev}:${ino}`;
}
