import { closeSync, readdirSync } from 'node:fs';
import type { TarXattr } from '@sediment/codec';
import { errnoCode, type WarningCode, type WarningHandler } from '@sediment/core';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  fchmodat,
  fchownat,
  fstatat,
  fstatatIfExists,
  lsetxattr,
  mkdirat,
  mknodat,
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
import type { Owner } from '../../idmaps/idMappings.ts';
import { joinBytes, withShortPath } from '../../staging/shortPath.ts';
import { removeEntry } from '../../unpack/removeEntry.ts';
import { HardLinks } from '../hardLinks.ts';
import { readXattrs } from '../readXattrs.ts';
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
  readonly onWarning: WarningHandler;
}

const MODE_BITS = 0o7777;
const OWNER_ALL = 0o700;
/** Belongs to the place where a file lies, not to the file. */
const PLACE_ATTRIBUTE = 'security.selinux';

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
  readonly #content = new ContentCopier();
  readonly #links = new HardLinks();
  readonly #skipped = new Map<WarningCode, { count: number; first: string }>();

  constructor(options: CopyTreeOptions) {
    this.#options = options;
  }

  copyRoot(source: Buffer, target: Buffer): void {
    this.#copyDirectory(source, target);
  }

  /** Lets go of files that are held for their hard links, and reports what could not be copied. */
  close(target: string): void {
    this.#links.close();
    this.#reportSkipped(target);
  }

  #copyDirectory(source: Buffer, target: Buffer): void {
    const stat = fstatat(AT_FDCWD, source);
    this.copyChildren(source, target);
    this.#copyAttributes(source, target, stat);
  }

  /** Copies what is in a directory, and leaves the target's own attributes alone. */
  copyChildren(source: Buffer, target: Buffer): void {
    withShortPath(source, (from) =>
      withShortPath(target, (to) => {
        for (const name of readdirSync(from, { encoding: 'buffer' })) {
          this.copyEntry(joinBytes(from, name), joinBytes(to, name));
        }
      }),
    );
  }

  /** One warning for each kind of thing that could not be copied. */
  #reportSkipped(tree: string): void {
    for (const [code, { count, first }] of this.#skipped) {
      const more = count === 1 ? '' : ` (and ${count - 1} more)`;
      this.#options.onWarning({ code, message: `copying a layer to ${tree}: ${first}${more}`, path: tree });
    }
  }

  /** Copies a file, or a directory with all in it. */
  copyEntry(source: Buffer, target: Buffer): void {
    const stat = fstatat(AT_FDCWD, source);
    const type = stat.mode & S_IFMT;
    const isThere = this.#options.merge === true && makeWay(target, type);
    if (type === S_IFDIR) {
      if (!isThere) mkdirat(AT_FDCWD, target, OWNER_ALL);
      this.#copyDirectory(source, target);
    } else if (!this.#links.linkToFirst(stat, target) && this.#makeEntry(source, target, stat)) {
      this.#copyAttributes(source, target, stat);
      this.#links.remember(stat, target);
    }
  }

  #makeEntry(source: Buffer, target: Buffer, stat: PosixStat): boolean {
    const type = stat.mode & S_IFMT;
    if (type === S_IFREG) closeSync(this.#content.copy(source, target));
    else if (type === S_IFLNK) symlinkat(readlinkat(AT_FDCWD, source), AT_FDCWD, target);
    else return this.#makeNode(target, stat, type);
    return true;
  }

  #makeNode(target: Buffer, stat: PosixStat, type: number): boolean {
    try {
      mknodat(AT_FDCWD, target, type | 0o600, stat.rdev);
      return true;
    } catch (error) {
      const device = type === S_IFCHR || type === S_IFBLK;
      if (!device || errnoCode(error) !== 'EPERM') throw error;
      this.#skip('DEVICE_SKIPPED', error);
      return false;
    }
  }

  /** In this order: a change of owner clears suid bits and capabilities, any other change the times. */
  #copyAttributes(source: Buffer, target: Buffer, stat: PosixStat): void {
    this.#copyOwner(target, stat);
    this.#copyXattrs(source, target);
    if ((stat.mode & S_IFMT) !== S_IFLNK) fchmodat(AT_FDCWD, target, stat.mode & MODE_BITS);
    utimensat(AT_FDCWD, target, { atimeNs: stat.atimeNs, mtimeNs: stat.mtimeNs }, AT_SYMLINK_NOFOLLOW);
  }

  #copyOwner(target: Buffer, original: PosixStat): void {
    const { uid, gid } = this.#options.ownerOf?.(original) ?? original;
    const present = fstatat(AT_FDCWD, target);
    if (present.uid === uid && present.gid === gid) return;
    try {
      fchownat(AT_FDCWD, target, uid, gid, AT_SYMLINK_NOFOLLOW);
    } catch (error) {
      if (!this.#options.ignoreChownErrors) throw error;
      this.#skip('CHOWN_IGNORED', error);
    }
  }

  #copyXattrs(source: Buffer, target: Buffer): void {
    for (const { name, value } of this.#options.xattrsOf?.(source) ?? xattrsOf(source)) {
      try {
        lsetxattr(target, name, value);
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

/** Removes what stands at `target`, unless that and the new file are directories; then returns true. */
function makeWay(target: Buffer, type: number): boolean {
  const present = fstatatIfExists(AT_FDCWD, target);
  if (present === undefined) return false;
  if (type === S_IFDIR && (present.mode & S_IFMT) === S_IFDIR) return true;
  removeEntry(AT_FDCWD, target, () => undefined);
  return false;
}

function xattrsOf(path: Buffer): TarXattr[] {
  return readXattrs(path, (name) => name !== PLACE_ATTRIBUTE);
}
