import { AT_FDCWD, close, isPosixError, O_CLOEXEC, O_DIRECTORY, O_PATH, openat } from '@sediment/posix';
import { isScarce } from './descriptorRoom.ts';
import { OpenDirectory } from './openDirectory.ts';
import type { DirectoryOpener } from './resolveInRoot.ts';

const CAPACITY = 64;
/** Where descriptors are scarce. An entry needs two at most. */
const LEAST_CAPACITY = 8;
const SLASH = 0x2f;

export interface DirectoryCacheOptions {
  /** The tree; all paths are looked up as if it were the root of the file system. */
  readonly root: string;
  readonly open: DirectoryOpener;
  readonly capacity?: number;
}

/** Makes a missing directory. */
export type DirectoryMaker = (parent: OpenDirectory, name: Buffer) => void;

/**
 * The directories that entries went to lately, as open descriptors: resolving a path costs more than
 * making a file, and a descriptor cannot be led elsewhere. Whoever removes or replaces a directory or
 * a symlink of the tree must {@link clear} the cache, since paths may mean something else then.
 */
export class DirectoryCache {
  readonly #open: DirectoryOpener;
  readonly #capacity: number;
  readonly #gid = process.getegid?.() ?? 0;
  readonly #entries = new Map<string, OpenDirectory>();
  #root: OpenDirectory;
  #last: OpenDirectory;

  constructor({ root, open, capacity = CAPACITY }: DirectoryCacheOptions) {
    this.#open = open;
    this.#capacity = capacity;
    this.#root = this.#rootOf(openat(AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC));
    this.#last = this.#root;
  }

  get root(): OpenDirectory {
    return this.#root;
  }

  /** The directory at `path` (cleaned, relative to the root); valid until the next call that takes a path. */
  get(path: Buffer): OpenDirectory {
    if (areEqual(path, this.#last.path)) return this.#last;
    this.#last = path.length === 0 ? this.#root : this.#lookUp(path);
    return this.#last;
  }

  /** Like {@link get}; missing directories are made by `make`, outermost first. */
  getOrMake(path: Buffer, make: DirectoryMaker): OpenDirectory {
    try {
      return this.get(path);
    } catch (error) {
      if (!isPosixError(error, 'ENOENT') || path.length === 0) throw error;
    }
    const slash = path.lastIndexOf(SLASH);
    const parent = this.getOrMake(path.subarray(0, Math.max(slash, 0)), make);
    make(parent, path.subarray(slash + 1));
    return this.get(path);
  }

  /** Forgets what paths mean, and what was known about the directories. */
  clear(): void {
    for (const { fd } of this.#entries.values()) close(fd);
    this.#entries.clear();
    this.#root = this.#rootOf(this.#root.fd);
    this.#last = this.#root;
  }

  /** Closes all descriptors; the cache cannot be used any more. */
  close(): void {
    this.clear();
    close(this.#root.fd);
  }

  #rootOf(fd: number): OpenDirectory {
    return new OpenDirectory(Buffer.alloc(0), fd, this.#gid);
  }

  #lookUp(path: Buffer): OpenDirectory {
    const key = path.toString('latin1');
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    const directory = new OpenDirectory(path, this.#open(this.#root.fd, path), this.#gid);
    this.#evict(isScarce(directory.fd) ? LEAST_CAPACITY : this.#capacity);
    this.#entries.set(key, directory);
    return directory;
  }

  /** Closes the oldest ones, until there is room for one more. */
  #evict(capacity: number): void {
    for (const [path, { fd }] of this.#entries) {
      if (this.#entries.size < capacity) return;
      this.#entries.delete(path);
      close(fd);
    }
  }
}

/** Names in a row differ at their end, if at all; `Buffer.equals` takes four times as long for short ones. */
function areEqual(one: Buffer, other: Buffer): boolean {
  if (one.length !== other.length) return false;
  for (let i = one.length - 1; i >= 0; i--) if (one[i] !== other[i]) return false;
  return true;
}
