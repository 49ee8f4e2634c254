import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  close,
  fstatat,
  isPosixError,
  linkat,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  openat,
  type PosixStat,
} from '@sediment/posix';
import { directoryOpener } from '../unpack/resolveInRoot.ts';

/** A name of the copy: its directory by the path from the copied tree's root. */
export interface CopiedName {
  /** Descriptor of the directory. */
  readonly fd: number;
  readonly directory: Buffer;
  readonly name: Buffer;
}

interface Copied {
  readonly directory: Buffer;
  readonly name: Buffer;
  /** Of the copy. */
  readonly key: string;
  /** Where the path is too long to be looked up again. */
  readonly held: number | undefined;
}

const OPEN_FILE = O_PATH | O_NOFOLLOW | O_CLOEXEC;
const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP'] as const;
/** Of a path that is resolved from a descriptor on; the kernel's limit is 4095. */
const LONG_PATH = 4000;

/**
 * The first copy of each file that has several names, so that its other names become links to it. Whoever changes the
 * tree meanwhile cannot have files outside of it linked into it: copies are looked up from its root, and known again.
 */
export class LinkedFiles {
  readonly #root: number;
  readonly #open = directoryOpener();
  /** By device and inode of the original. */
  readonly #first = new Map<string, Copied>();

  /** @param root descriptor of the directory that is copied to; the caller's */
  constructor(root: number) {
    this.#root = root;
  }

  /** @returns false when there is no copy yet, or it is not there any more */
  link(original: PosixStat, { fd, name }: CopiedName): boolean {
    const first = original.nlink > 1 ? this.#first.get(keyOf(original)) : undefined;
    const file = first === undefined ? undefined : this.#openAgain(first);
    if (file === undefined) return false;
    try {
      linkat(AT_FDCWD, `/proc/self/fd/${file}`, fd, name, AT_SYMLINK_FOLLOW);
      return true;
    } finally {
      if (file !== first?.held) close(file);
    }
  }

  remember(original: PosixStat, { fd, directory, name }: CopiedName): void {
    if (original.nlink <= 1) return;
    const copy = fstatat(fd, name);
    const held = directory.length > LONG_PATH ? openat(fd, name, OPEN_FILE) : undefined;
    this.#first.set(keyOf(original), { directory, name, key: keyOf(copy), held });
  }

  close(): void {
    for (const { held } of this.#first.values()) if (held !== undefined) close(held);
    this.#first.clear();
  }

  #openAgain({ directory, name, key, held }: Copied): number | undefined {
    if (held !== undefined) return held;
    try {
      const parent = this.#open(this.#root, directory);
      try {
        const file = openat(parent, name, OPEN_FILE);
        if (keyOf(fstatat(file, '', AT_EMPTY_PATH)) === key) return file;
        close(file);
      } finally {
        close(parent);
      }
    } catch (error) {
      // Something else is there by now.
      if (!GONE.some((code) => isPosixError(error, code))) throw error;
    }
    return undefined;
  }
}

function keyOf({ dev, ino }: PosixStat): string {
  return `${dev}:${ino}`;
}
