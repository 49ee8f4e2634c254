import { TAR_TYPE, type TarHeader } from '@sediment/codec';
import { StorageError } from '@sediment/core';
import {
  fchmodat,
  fstatat,
  isPosixError,
  linkat,
  makedev,
  mkdirat,
  mknodat,
  type PosixStat,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  symlinkat,
  utimensat,
} from '@sediment/posix';
import { type EntryPath, splitEntryPath } from './entryPath.ts';
import { fileTimes, symlinkTimes } from './entryTimes.ts';
import type { OpenDirectory } from './openDirectory.ts';
import { printableName } from './printableName.ts';
import { isDirectory, type Tree } from './tree.ts';
import type { WhiteoutRules } from './whiteoutRules.ts';

const PERMISSIONS = 0o7777;
const SET_ID_BITS = 0o6000;
const SET_GROUP_ID = 0o2000;
/** What mkdir(2) honours. */
const MKDIR_BITS = 0o1777;
const PRIVATE_DIRECTORY = 0o700;

/**
 * Makes the entries that have no content. Each method replaces what stood there before, sets owner,
 * mode, times and extended attributes in that order (changing the owner clears set-user-ID and
 * capabilities), and returns the directory that holds the entry.
 */
export class EntryMaker {
  readonly #tree: Tree;
  readonly #rules: WhiteoutRules;

  constructor(tree: Tree, rules: WhiteoutRules) {
    this.#tree = tree;
    this.#rules = rules;
  }

  /** A directory that is there is kept, with its content, and gets the entry's metadata; times are set at the end. */
  directory(header: TarHeader, path: EntryPath): OpenDirectory {
    const { base } = path;
    const directory = this.#tree.makeParentOf(path);
    const bornRight = this.#tree.metadata.isBornRight(directory, header.uid, header.gid);
    const mode = header.mode & PERMISSIONS;
    const bornMode = bornRight ? mode & MKDIR_BITS : PRIVATE_DIRECTORY;
    const existing = mkdirOrStat(directory, base, bornMode);
    if (existing !== undefined && !isDirectory(existing)) {
      return this.#replaceByDirectory(existing, header, path);
    }
    if (existing !== undefined || !bornRight) this.#tree.metadata.chown(directory, base, header, existing);
    const modeIsRight = existing === undefined && bornRight && this.#tree.umaskIsZero;
    if (!modeIsRight || (mode & SET_ID_BITS) !== 0) fchmodat(directory.fd, base, mode);
    this.#tree.metadata.setXattrs(directory, base, header);
    return this.#refreshed(existing, header, path) ?? directory;
  }

  symlink(header: TarHeader, path: EntryPath): OpenDirectory {
    const { base } = path;
    if (header.linkname.includes(0))
      throw new StorageError('UNPACK_UNSAFE', 'a symlink target with a NUL byte');
    return this.#tree.place(path, (directory) => {
      symlinkat(header.linkname, directory.fd, base);
      const { metadata } = this.#tree;
      if (!metadata.isBornRight(directory, header.uid, header.gid)) metadata.chown(directory, base, header);
      utimensat(directory.fd, base, symlinkTimes(header));
      metadata.setXattrs(directory, base, header);
      return directory;
    });
  }

  /** The header's metadata goes to the inode that all its links share: the last one wins. */
  hardlink(header: TarHeader, path: EntryPath): OpenDirectory {
    const { base } = path;
    const target = splitEntryPath(header.linkname, 'link target');
    return this.#tree.place(path, (directory) => {
      linkat(this.#tree.parentOf(target).fd, target.base, directory.fd, base);
      const stat = fstatat(directory.fd, base);
      this.#tree.metadata.chown(directory, base, header, stat);
      if ((stat.mode & S_IFMT) !== S_IFLNK) {
        fchmodat(directory.fd, base, header.mode & PERMISSIONS);
        utimensat(directory.fd, base, fileTimes(header));
      }
      this.#tree.metadata.setXattrs(directory, base, header);
      return directory;
    });
  }

  fifo(header: TarHeader, path: EntryPath): OpenDirectory {
    return this.#node(header, path, { type: S_IFIFO, device: 0 });
  }

  /** In a user namespace the kernel allows no devices: then only what stood there before is removed. */
  device(header: TarHeader, path: EntryPath): OpenDirectory {
    if (this.#tree.inUserNamespace) {
      this.#tree.remove(this.#tree.makeParentOf(path), path.base);
      const reason = 'device nodes cannot be made in a user namespace and are left out';
      this.#tree.warnings.add('DEVICE_SKIPPED', reason, printableName(header.name));
      return this.#tree.parentOf(path);
    }
    const type = header.typeflag === TAR_TYPE.charDevice ? S_IFCHR : S_IFBLK;
    return this.#node(header, path, { type, device: deviceNumber(header) });
  }

  #node(header: TarHeader, path: EntryPath, node: { type: number; device: number }): OpenDirectory {
    const { base } = path;
    const mode = header.mode & PERMISSIONS;
    return this.#tree.place(path, (directory) => {
      mknodat(directory.fd, base, node.type | mode, node.device);
      this.#tree.metadata.chown(directory, base, header);
      fchmodat(directory.fd, base, mode);
      utimensat(directory.fd, base, fileTimes(header));
      this.#tree.metadata.setXattrs(directory, base, header);
      return directory;
    });
  }

  #replaceByDirectory(replaced: PosixStat, header: TarHeader, path: EntryPath): OpenDirectory {
    this.#tree.remove(this.#tree.parentOf(path), path.base);
    const directory = this.directory(header, path);
    this.#rules.madeDirectoryInsteadOf(replaced, directory, path.base);
    return directory;
  }

  /** A directory that was there may be open, and may now hand down another group, bit or ACL to new files. */
  #refreshed(existing: PosixStat | undefined, header: TarHeader, path: EntryPath): OpenDirectory | undefined {
    if (existing === undefined) return undefined;
    const hadBit = (existing.mode & SET_GROUP_ID) !== 0;
    const hasBit = (header.mode & SET_GROUP_ID) !== 0;
    if (existing.gid === header.gid && hadBit === hasBit && header.xattrs.length === 0) return undefined;
    this.#tree.forgetDirectories();
    return this.#tree.parentOf(path);
  }
}

function mkdirOrStat(directory: OpenDirectory, base: Buffer, mode: number): PosixStat | undefined {
  try {
    mkdirat(directory.fd, base, mode);
    return undefined;
  } catch (error) {
    if (!isPosixError(error, 'EEXIST')) throw error;
    return fstatat(directory.fd, base);
  }
}

function deviceNumber({ devmajor, devminor }: TarHeader): number {
  try {
    return makedev(devmajor, devminor);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new StorageError('UNPACK_FAILED', `Linux has no device ${devmajor}:${devminor}`, { cause: error });
  }
}
