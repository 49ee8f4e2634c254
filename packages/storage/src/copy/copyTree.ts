import type { TarXattr } from '@sediment/codec';
import { errnoCode, type WarningCode, type WarningHandler } from '@sediment/core';
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
import { HardLinks } from '../drivers/hardLinks.ts';
import { readOpenXattrs, readXattrs } from '../drivers/readXattrs.ts';
import type { Owner } from '../idmaps/idMappings.ts';
import { joinBytes, withShortPath } from '../staging/shortPath.ts';
import { listNames, removeEntry } from '../unpack/removeEntry.ts';
import { ContentCopier } from './copyContent.ts';

export interface CopyTreeOptions {
  /** The target may have content: directories are merged, all else gives way to what is copied. */
  readonly merge?: boolean;
  /** Owner of a copy; the same as of the original, if absent. */
  readonly ownerOf?: (owner: Owner) => Owner;
  /** Attributes that are copied; all but those of the place, if absent. */
  readonly xattrsOf?: (path: Buffer) => readonly TarXattr[];
  /** Go on when an owner cannot be set. */
  readonly ignoreChownErrors: boolean;
  /** Called for each entry; may throw, to stop. */
  readonly checkpoint?: () => void;
  readonly onWarning: WarningHandler;
}

const MODE_BITS = 0o7777;
const OWNER_ALL = 0o700;
const OWNER_READ_WRITE = 0o600;
const OPEN_DIRECTORY = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
const OPEN_FILE = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
const MAKE_FILE = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
/** Belongs to the place where a file lies, not to the file. */
const PLACE_ATTRIBUTE = 'security.selinux';

/** An open directory, with a path to it that names may be appended to while it is open. */
interface Directory {
  readonly fd: number;
  readonly path: Buffer;
}

interface Target extends Directory {
  /** Of all that this program makes in there; undefined where it must be looked at. */
  readonly owner: Owner | undefined;
}

/** The names of original and copy in their directories. */
interface Entry {
  readonly from: Directory;
  readonly source: Buffer;
  readonly to: Target;
  readonly target: Buffer;
  readonly stat: PosixStat;
}

interface Subdirectory {
  readonly name: Buffer;
  readonly stat: PosixStat;
}

/** Where whole paths are resolved. */
const HERE: Target = { fd: AT_FDCWD, path: Buffer.alloc(0), owner: undefined };

/**
 * Makes `target` a copy of the directory `source`: types, owners, modes, times in nanoseconds, hard
 * links, extended attributes, whatever bytes the names consist of. `target` may exist; unless content is to be
 * merged it must then be empty.
 *
 * containers/storage (`drivers/copy`) copies only the attributes `security.capability`, `user.*` and the
 * overlay marks; a layer that sets others would then lose them in every layer above.
 */
export function copyTree(source: string, target: string, options: CopyTreeOptions): void {
  const copier = new TreeCopier(options);
  try {
    copier.copyRoot(Buffer.from(source), Buffer.from(target));
  } finally {
    copier.close(target);
  }
}

/** What {@link copyTree} does, for parts of trees. Close it in the end. */
export class TreeCopier {
  readonly #options: CopyTreeOptions;
  readonly #content: ContentCopier;
  readonly #links = new HardLinks();
  readonly #skipped = new Map<WarningCode, { count: number; first: string }>();
  readonly #self = { uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 };

  constructor(options: CopyTreeOptions) {
    this.#options = options;
    this.#content = new ContentCopier(options.checkpoint);
  }

  copyRoot(source: Buffer, target: Buffer): void {
    this.#copyDirectory(source, target, fstatat(AT_FDCWD, source));
  }

  /** Lets go of files that are held for their hard links, and reports what could not be copied. */
  close(target: string): void {
    this.#links.close();
    this.#reportSkipped(target);
  }

  /** Copies what is in a directory, and leaves the target's own attributes alone. */
  copyChildren(source: Buffer, target: Buffer): void {
    withShortPath(source, (from) =>
      withShortPath(target, (to) => {
        for (const { name, stat } of this.#copyFiles(from, to)) {
          this.#copyDirectory(joinBytes(from, name), joinBytes(to, name), stat);
        }
      }),
    );
  }

  /** Copies a file, or a directory with all in it. */
  copyEntry(source: Buffer, target: Buffer): void {
    const stat = fstatat(AT_FDCWD, source);
    if (!this.#makeEntry({ from: HERE, source, to: HERE, target, stat })) return;
    this.#copyDirectory(source, target, stat);
  }

  /** One warning for each kind of thing that could not be copied. */
  #reportSkipped(tree: string): void {
    for (const [code, { count, first }] of this.#skipped) {
      const more = count === 1 ? '' : ` (and ${count - 1} more)`;
      this.#options.onWarning({ code, message: `copying a layer to ${tree}: ${first}${more}`, path: tree });
    }
  }

  /** @returns the directories, which are made but not filled: nothing stays open while that is done */
  #copyFiles(source: Buffer, target: Buffer): Subdirectory[] {
    const directories: Subdirectory[] = [];
    this.#inDirectories(source, target, (from, to) => {
      for (const name of listNames(from.fd)) {
        const stat = fstatat(from.fd, name);
        const entry = { from, source: name, to, target: name, stat };
        if (this.#makeEntry(entry)) directories.push({ name, stat });
      }
    });
    return directories;
  }

  /** @returns whether it is a directory, which is made but not filled */
  #makeEntry(entry: Entry): boolean {
    this.#options.checkpoint?.();
    const { to, target, stat } = entry;
    const type = stat.mode & S_IFMT;
    const isThere = this.#options.merge === true && makeWay(to.fd, target, type);
    if (type === S_IFDIR) {
      if (!isThere) mkdirat(to.fd, target, OWNER_ALL);
      return true;
    }
    const path = stat.nlink > 1 ? pathOf(to, target) : undefined;
    if (path !== undefined && this.#links.linkToFirst(stat, path)) return false;
    const isMade = type === S_IFREG ? this.#copyFile(entry) : this.#copyOther(entry);
    if (isMade && path !== undefined) this.#links.remember(stat, path);
    return false;
  }

  #copyDirectory(source: Buffer, target: Buffer, stat: PosixStat): void {
    this.copyChildren(source, target);
    this.#copyAttributes({ from: HERE, source, to: HERE, target, stat });
  }

  #inDirectories(source: Buffer, target: Buffer, fn: (from: Directory, to: Target) => void): void {
    const from = openat(AT_FDCWD, source, OPEN_DIRECTORY);
    try {
      const to = openat(AT_FDCWD, target, OPEN_DIRECTORY);
      try {
        fn({ fd: from, path: source }, { fd: to, path: target, owner: this.#ownerOfNew(to) });
      } finally {
        close(to);
      }
    } finally {
      close(from);
    }
  }

  /** New files may get the group of their directory, for more reasons than can be seen; others have any owner. */
  #ownerOfNew(directory: number): Owner | undefined {
    if (this.#options.merge === true) return undefined;
    const { gid } = fstatat(directory, '', AT_EMPTY_PATH);
    return gid === this.#self.gid ? this.#self : undefined;
  }

  /** @returns true: it is made */
  #copyFile({ from, source, to, target, stat }: Entry): boolean {
    const original = openat(from.fd, source, OPEN_FILE);
    try {
      const copy = openat(to.fd, target, MAKE_FILE, OWNER_READ_WRITE);
      try {
        this.#content.copy(original, copy, stat.size);
        this.#setOwner(stat, to.owner ?? fstatat(copy, '', AT_EMPTY_PATH), ({ uid, gid }) =>
          fchown(copy, uid, gid),
        );
        const xattrs = this.#options.xattrsOf?.(pathOf(from, source)) ?? readOpenXattrs(original, isOfFile);
        this.#setXattrs(xattrs, (name, value) => fsetxattr(copy, name, value));
        fchmod(copy, stat.mode & MODE_BITS);
        futimens(copy, stat);
      } finally {
        close(copy);
      }
    } finally {
      close(original);
    }
    return true;
  }

  /** @returns false when it was skipped */
  #copyOther(entry: Entry): boolean {
    const { from, source, to, target, stat } = entry;
    if ((stat.mode & S_IFMT) === S_IFLNK) symlinkat(readlinkat(from.fd, source), to.fd, target);
    else if (!this.#makeNode(entry)) return false;
    this.#copyAttributes(entry);
    return true;
  }

  #makeNode({ to, target, stat }: Entry): boolean {
    const type = stat.mode & S_IFMT;
    try {
      mknodat(to.fd, target, type | OWNER_READ_WRITE, stat.rdev);
      return true;
    } catch (error) {
      const device = type === S_IFCHR || type === S_IFBLK;
      if (!device || errnoCode(error) !== 'EPERM') throw error;
      this.#skip('DEVICE_SKIPPED', error);
      return false;
    }
  }

  /** In this order: a change of owner clears suid bits and capabilities, any other change the times. */
  #copyAttributes({ from, source, to, target, stat }: Entry): void {
    this.#setOwner(stat, to.owner ?? fstatat(to.fd, target), ({ uid, gid }) =>
      fchownat(to.fd, target, uid, gid, AT_SYMLINK_NOFOLLOW),
    );
    const original = pathOf(from, source);
    const xattrs = this.#options.xattrsOf?.(original) ?? readXattrs(original, isOfFile);
    this.#setXattrs(xattrs, (name, value) => lsetxattr(pathOf(to, target), name, value));
    if ((stat.mode & S_IFMT) !== S_IFLNK) fchmodat(to.fd, target, stat.mode & MODE_BITS);
    utimensat(to.fd, target, stat, AT_SYMLINK_NOFOLLOW);
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

function pathOf({ path }: Directory, name: Buffer): Buffer {
  return path.length === 0 ? name : joinBytes(path, name);
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
