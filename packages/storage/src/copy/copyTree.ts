import type { TarXattr } from '@sediment/codec';
import { errnoCode, StorageError, type WarningCode, type WarningHandler } from '@sediment/core';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  close,
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  fsetxattr,
  fstatat,
  fstatatIfExists,
  futimens,
  lsetxattr,
  mkdirat,
  mknodat,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openat,
  type PosixStat,
  readlinkat,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  symlinkat,
  utimensat,
} from '@sediment/posix';
import { readOpenXattrs, readXattrs } from '../drivers/readXattrs.ts';
import type { Owner } from '../idmaps/idMappings.ts';
import { joinBytes } from '../staging/shortPath.ts';
import { isScarce } from '../unpack/descriptorRoom.ts';
import { listNames, removeEntry } from '../unpack/removeEntry.ts';
import { ContentCopier } from './copyContent.ts';
import { pathThrough } from './findInside.ts';
import { LinkedFiles } from './linkedFiles.ts';

export interface CopyTreeOptions {
  /** The target may have content: directories are merged, all else gives way to what is copied. */
  readonly merge?: boolean;
  /** Owner of a copy; the same as of the original, if absent. */
  readonly ownerOf?: (owner: Owner) => Owner;
  /** Attributes that are copied, by name; all but those of the place, if absent. */
  readonly keepsXattr?: (name: string) => boolean;
  /** Go on when an owner cannot be set. */
  readonly ignoreChownErrors: boolean;
  /** Called for each entry; may throw, to stop. */
  readonly checkpoint?: () => void;
  readonly onWarning: WarningHandler;
}

const MODE_BITS = 0o7777;
const OWNER_ALL = 0o700;
const OWNER_READ_WRITE = 0o600;
const OPEN_DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
/** It may be a pipe by now, at which one would wait for a writer. */
const OPEN_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
const OPEN_NODE = O_PATH | O_NOFOLLOW | O_CLOEXEC;
const MAKE_FILE = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
const PARENT = Buffer.from('..');
const CLOSED = -1;
/** Belongs to the place where a file lies, not to the file. */
const PLACE_ATTRIBUTE = 'security.selinux';

/** A directory that is being copied, and its copy. Everything in them is named by these descriptors. */
interface Level {
  from: number;
  to: number;
  /** Path of the copy from the root of what is copied. */
  readonly path: Buffer;
  /** Of all that this program makes in the copy; undefined where it must be looked at. */
  readonly owner: Owner | undefined;
  /** How both are known again when they were closed meanwhile; undefined if somebody else opened them. */
  readonly keys: { readonly from: string; readonly to: string } | undefined;
  /** Whether so many files are open that those around it are closed meanwhile, and those below it again. */
  readonly isDeep: boolean;
}

/** The names of original and copy. */
interface Entry {
  readonly level: Level;
  readonly source: Buffer;
  readonly target: Buffer;
  readonly stat: PosixStat;
}

/** A place for a file, by a descriptor of its directory. */
export interface FilePlace {
  readonly directory: number;
  readonly name: Buffer;
}

/**
 * Makes `target` a copy of the directory `source`: types, owners, modes, times in nanoseconds, hard
 * links, extended attributes, whatever bytes the names consist of. `target` may exist; unless content is to be
 * merged it must then be empty.
 *
 * containers/storage (`drivers/copy`) copies only the attributes `security.capability`, `user.*` and the
 * overlay marks; a layer that sets others would then lose them in every layer above.
 */
export function copyTree(source: string, target: string, options: CopyTreeOptions): void {
  const from = openat(AT_FDCWD, source, OPEN_DIRECTORY);
  try {
    const to = openat(AT_FDCWD, target, OPEN_DIRECTORY);
    try {
      const copier = new TreeCopier(to, options);
      try {
        copier.copyRoot(from);
      } finally {
        copier.close(target);
      }
    } finally {
      close(to);
    }
  } finally {
    close(from);
  }
}

/**
 * What {@link copyTree} does, for parts of trees, into one directory. Close it in the end. Other programs may change both
 * trees meanwhile: nothing outside of them is read or written, whatever becomes a symlink.
 */
export class TreeCopier {
  readonly #root: number;
  readonly #options: CopyTreeOptions;
  readonly #content: ContentCopier;
  readonly #links: LinkedFiles;
  readonly #skipped = new Map<WarningCode, { count: number; first: string }>();
  readonly #keepsXattr: (name: string) => boolean;
  readonly #self = { uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 };

  /** @param root descriptor of the directory to copy to; the caller's */
  constructor(root: number, options: CopyTreeOptions) {
    this.#root = root;
    this.#options = options;
    this.#content = new ContentCopier(options.checkpoint);
    this.#links = new LinkedFiles(root);
    this.#keepsXattr = options.keepsXattr ?? isOfFile;
  }

  /** Makes the root, which must be open for reading, a copy of an open directory. */
  copyRoot(source: number): void {
    // Before it is read, which is an access.
    const stat = fstatat(source, '', AT_EMPTY_PATH);
    const level = this.#rootLevel(source);
    this.#fill(level);
    this.#finish({ ...level, stat, present: undefined });
  }

  /** Copies what is in an open directory, and leaves the root's own attributes alone. */
  copyChildren(source: number): void {
    this.#fill(this.#rootLevel(source));
  }

  /** Copies a file, or a directory with all in it, to `name` in the root. */
  copyEntry({ directory, name: source }: FilePlace, name: Buffer): void {
    const stat = fstatat(directory, source);
    const entry = { level: this.#rootLevel(directory), source, target: name, stat };
    if (this.#makeEntry(entry)) this.#copyDirectory(entry);
  }

  /** Reports what could not be copied. */
  close(target: string): void {
    this.#links.close();
    this.#reportSkipped(target);
  }

  /** One warning for each kind of thing that could not be copied. */
  #reportSkipped(tree: string): void {
    for (const [code, { count, first }] of this.#skipped) {
      const more = count === 1 ? '' : ` (and ${count - 1} more)`;
      this.#options.onWarning({ code, message: `copying a layer to ${tree}: ${first}${more}`, path: tree });
    }
  }

  #rootLevel(source: number): Level {
    const owner = this.#ownerOfNew(fstatat(this.#root, '', AT_EMPTY_PATH));
    return { from: source, to: this.#root, path: Buffer.alloc(0), owner, keys: undefined, isDeep: false };
  }

  /** New files may get the group of their directory, for more reasons than can be seen; others have any owner. */
  #ownerOfNew({ gid }: PosixStat): Owner | undefined {
    return this.#options.merge !== true && gid === this.#self.gid ? this.#self : undefined;
  }

  #fill(level: Level): void {
    const directories: Pick<Entry, 'source' | 'stat'>[] = [];
    for (const name of listNames(level.from)) {
      const stat = fstatat(level.from, name);
      if (this.#makeEntry({ level, source: name, target: name, stat }))
        directories.push({ source: name, stat });
    }
    for (const { source, stat } of directories) this.#copyDirectory({ level, source, target: source, stat });
  }

  /** @returns whether it is a directory, which is made but not filled */
  #makeEntry(entry: Entry): boolean {
    this.#options.checkpoint?.();
    const { level, target, stat } = entry;
    const type = stat.mode & S_IFMT;
    const isThere = this.#options.merge === true && makeWay(level.to, target, type);
    if (type === S_IFDIR) {
      if (!isThere) mkdirat(level.to, target, OWNER_ALL);
      return true;
    }
    const place = { fd: level.to, directory: level.path, name: target };
    if (this.#links.link(stat, place)) return false;
    if (type === S_IFREG) this.#copyFile(entry);
    else if (!this.#copyOther(entry)) return false;
    this.#links.remember(stat, place);
    return false;
  }

  /** Fills a directory that is made, and gives it its attributes. */
  #copyDirectory(entry: Entry): void {
    const { level, stat } = entry;
    const inner = this.#enter(entry);
    try {
      if (inner.isDeep) this.#fillAlone(inner, level);
      else this.#fill(inner);
      this.#finish({ ...inner, stat, present: level.owner });
    } finally {
      leave(inner);
    }
  }

  #enter({ level, source, target }: Entry): Level {
    const from = openat(level.from, source, OPEN_DIRECTORY);
    let to: number | undefined;
    try {
      to = openat(level.to, target, OPEN_DIRECTORY);
      const made = fstatat(to, '', AT_EMPTY_PATH);
      const keys = { from: keyOf(fstatat(from, '', AT_EMPTY_PATH)), to: keyOf(made) };
      const path = level.path.length === 0 ? target : joinBytes(level.path, target);
      const isDeep = level.isDeep || isScarce(to);
      return { from, to, path, owner: this.#ownerOfNew(made), keys, isDeep };
    } catch (error) {
      close(from);
      if (to !== undefined) close(to);
      throw error;
    }
  }

  /** Fills a directory while the one around it is closed: trees may be deeper than files may be open. */
  #fillAlone(inner: Level, outer: Level): void {
    const { keys } = outer;
    if (keys !== undefined) leave(outer);
    this.#fill(inner);
    if (keys === undefined) return;
    outer.from = openKnown(inner.from, keys.from);
    outer.to = openKnown(inner.to, keys.to);
  }

  #copyFile({ level, source, target, stat }: Entry): void {
    const original = openat(level.from, source, OPEN_FILE);
    try {
      const copy = openat(level.to, target, MAKE_FILE, OWNER_READ_WRITE);
      try {
        this.#content.copy(original, copy, stat.size);
        this.#finish({ from: original, to: copy, stat, present: level.owner });
      } finally {
        close(copy);
      }
    } finally {
      close(original);
    }
  }

  /** In this order: a change of owner clears suid bits and capabilities, any other change the times. */
  #finish({ from, to, stat, present }: OpenCopy): void {
    this.#setOwner(stat, present ?? fstatat(to, '', AT_EMPTY_PATH), ({ uid, gid }) => fchown(to, uid, gid));
    this.#setXattrs(readOpenXattrs(from, this.#keepsXattr), (name, value) => fsetxattr(to, name, value));
    fchmod(to, stat.mode & MODE_BITS);
    futimens(to, stat);
  }

  /** @returns false when it was skipped */
  #copyOther(entry: Entry): boolean {
    const { level, source, target, stat } = entry;
    const isLink = (stat.mode & S_IFMT) === S_IFLNK;
    if (isLink) symlinkat(readlinkat(level.from, source), level.to, target);
    else if (!this.#makeNode(entry)) return false;
    this.#setOwner(stat, level.owner ?? fstatat(level.to, target), ({ uid, gid }) =>
      fchownat(level.to, target, uid, gid, AT_SYMLINK_NOFOLLOW),
    );
    const xattrs = readXattrs(pathThrough(level.from, source), this.#keepsXattr);
    this.#setXattrs(xattrs, (name, value) => lsetxattr(pathThrough(level.to, target), name, value));
    if (!isLink) setModeOfNode(level.to, target, stat.mode & MODE_BITS);
    utimensat(level.to, target, stat, AT_SYMLINK_NOFOLLOW);
    return true;
  }

  #makeNode({ level, target, stat }: Entry): boolean {
    const type = stat.mode & S_IFMT;
    try {
      mknodat(level.to, target, type | OWNER_READ_WRITE, stat.rdev);
      return true;
    } catch (error) {
      const device = type === S_IFCHR || type === S_IFBLK;
      if (!device || errnoCode(error) !== 'EPERM') throw error;
      this.#skip('DEVICE_SKIPPED', error);
      return false;
    }
  }

  #setOwner(original: PosixStat, present: Owner, set: (owner: Owner) => void): void {
    const wanted = this.#options.ownerOf?.(original) ?? original;
    if (present.uid === wanted.uid && present.gid === wanted.gid) return;
    try {
      set(wanted);
    } catch (error) {
      if (!this.#options.ignoreChownErrors) throw error;
      this.#skip('CHOWN_IGNORED', error);
    }
  }

  #setXattrs(xattrs: readonly TarXattr[], set: (name: Buffer, value: Buffer) => void): void {
    for (const { name, value } of xattrs) {
      try {
        set(name, value);
      } catch (error) {
        if (errnoCode(error) !== 'EOPNOTSUPP' && errnoCode(error) !== 'ENOTSUP') throw error;
        this.#skip('XATTR_SKIPPED', error);
      }
    }
  }

  #skip(code: WarningCode, error: unknown): void {
    const known = this.#skipped.get(code);
    if (known !== undefined) known.count++;
    else this.#skipped.set(code, { count: 1, first: error instanceof Error ? error.message : String(error) });
  }
}

/** Original and copy, open. */
interface OpenCopy {
  readonly from: number;
  readonly to: number;
  readonly stat: PosixStat;
  /** Owner of the copy; looked at if undefined. */
  readonly present: Owner | undefined;
}

/** Closes what is open of a level. */
function leave(level: Level): void {
  const open = [level.from, level.to].filter((fd) => fd !== CLOSED);
  level.from = CLOSED;
  level.to = CLOSED;
  for (const fd of open) close(fd);
}

/** The directory around an open one, which must be the one that it was. */
function openKnown(inner: number, key: string): number {
  const fd = openat(inner, PARENT, OPEN_DIRECTORY);
  if (keyOf(fstatat(fd, '', AT_EMPTY_PATH)) === key) return fd;
  close(fd);
  throw new StorageError('IO', 'a directory was moved to another place while it was being copied', {
    hint: 'try again when nobody changes it',
  });
}

/** chmod(2) would follow what has become a symlink. */
function setModeOfNode(directory: number, name: Buffer, mode: number): void {
  const fd = openat(directory, name, OPEN_NODE);
  try {
    fchmodat(AT_FDCWD, `/proc/self/fd/${fd}`, mode);
  } finally {
    close(fd);
  }
}

function keyOf({ dev, ino }: PosixStat): string {
  return `${dev}:${ino}`;
}

/** Removes what stands there, unless that and the new file are directories; then returns true. */
function makeWay(directory: number, name: Buffer, type: number): boolean {
  const present = fstatatIfExists(directory, name);
  if (present === undefined) return false;
  if (type === S_IFDIR && (present.mode & S_IFMT) === S_IFDIR) return true;
  removeEntry(directory, name, () => undefined);
  return false;
}

function isOfFile(name: string): boolean {
  return name !== PLACE_ATTRIBUTE;
}
