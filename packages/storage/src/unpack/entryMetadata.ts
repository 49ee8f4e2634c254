import type { TarHeader } from '@sediment/codec';
import { StorageError } from '@sediment/core';
import {
  AT_EMPTY_PATH,
  fchown,
  fchownat,
  fsetxattr,
  fstatat,
  isPosixError,
  lsetxattr,
  type PosixStat,
} from '@sediment/posix';
import type { OpenDirectory } from './openDirectory.ts';
import { printableName } from './printableName.ts';
import type { WarningTally } from './warningTally.ts';

const NO_PATH = Buffer.alloc(0);
/** The label of a file is the host's business, not the image's. */
const IGNORED_XATTR = Buffer.from('security.selinux');

export interface EntryMetadataOptions {
  readonly ignoreChownErrors: boolean;
  readonly inUserNamespace: boolean;
  readonly warnings: WarningTally;
}

/** An owner to be set, and whose: `name` is for warnings. {@link TarHeader} is one. */
export interface Owned {
  readonly uid: number;
  readonly gid: number;
  readonly name: Buffer;
}

/** Sets owners and extended attributes of entries, with the tolerance that was asked for. */
export class EntryMetadata {
  readonly #options: EntryMetadataOptions;
  readonly #uid = process.geteuid?.() ?? 0;
  readonly #gid = process.getegid?.() ?? 0;

  constructor(options: EntryMetadataOptions) {
    this.#options = options;
  }

  /** Whether a new file in `directory` has this owner from the start, and exactly the mode it is made with. */
  isBornRight(directory: OpenDirectory, uid: number, gid: number): boolean {
    return uid === this.#uid && gid === this.#gid && directory.givesPlainFiles;
  }

  /**
   * Sets the owner of an entry (of a symlink itself) unless it is right already: an unprivileged
   * process may not set even that, and setting it would clear set-user-ID.
   */
  chown(directory: OpenDirectory, base: Buffer, wanted: Owned, known?: PosixStat): void {
    const { uid, gid } = known ?? fstatat(directory.fd, base);
    if (uid === wanted.uid && gid === wanted.gid) return;
    this.#tolerate(wanted, () => fchownat(directory.fd, base, wanted.uid, wanted.gid));
  }

  /** The same for an open file that was just made. */
  chownNewFile(fd: number, wanted: Owned): void {
    if (wanted.uid === this.#uid && fstatat(fd, NO_PATH, AT_EMPTY_PATH).gid === wanted.gid) return;
    this.#tolerate(wanted, () => fchown(fd, wanted.uid, wanted.gid));
  }

  /** Sets the entry's extended attributes; of a symlink itself. */
  setXattrs(directory: OpenDirectory, base: Buffer, header: TarHeader): void {
    if (header.xattrs.length === 0) return;
    const path = directory.entryPath(base);
    this.#eachXattr(header, (name, value) => lsetxattr(path, name, value));
  }

  /** The same for an open file. */
  setFileXattrs(fd: number, header: TarHeader): void {
    if (header.xattrs.length === 0) return;
    this.#eachXattr(header, (name, value) => fsetxattr(fd, name, value));
  }

  #tolerate(wanted: Owned, chown: () => void): void {
    const { uid, gid, name } = wanted;
    try {
      chown();
    } catch (error) {
      if (!isPosixError(error)) throw error;
      if (!this.#options.ignoreChownErrors)
        throw this.#isUnmapped(error.code) ? unmapped(wanted, error) : error;
      const reason = `the owner ${uid}:${gid} cannot be set (${error.code}) and is ignored as configured`;
      this.#options.warnings.add('CHOWN_IGNORED', reason, printableName(name));
    }
  }

  #eachXattr(header: TarHeader, set: (name: Buffer, value: Buffer) => void): void {
    for (const { name, value } of header.xattrs) {
      if (name.equals(IGNORED_XATTR)) continue;
      if (name.includes(0)) {
        throw new StorageError('UNPACK_UNSAFE', 'an extended attribute with a NUL byte in its name');
      }
      try {
        set(name, value);
      } catch (error) {
        if (!isPosixError(error) || !this.#isTolerable(error.code)) throw error;
        const reason = `the extended attribute ${printableName(name)} cannot be stored here (${error.code}) and is left out`;
        this.#options.warnings.add('XATTR_SKIPPED', reason, printableName(header.name));
      }
    }
  }

  /** What the kernel says to ids that do not exist in the namespace. */
  #isUnmapped(code: string): boolean {
    return code === 'EINVAL' && this.#options.inUserNamespace;
  }

  #isTolerable(code: string): boolean {
    // Linux has one number for ENOTSUP and EOPNOTSUPP.
    return code === 'EOPNOTSUPP' || (code === 'EPERM' && this.#options.inUserNamespace);
  }
}

function unmapped({ uid, gid, name }: Owned, cause: Error): StorageError {
  return new StorageError(
    'ID_UNMAPPED',
    `potentially insufficient UIDs or GIDs available in user namespace (requested ${uid}:${gid} for ${printableName(name)})`,
    {
      actual: `${uid}:${gid}`,
      hint: 'give the user more ids in /etc/subuid and /etc/subgid and run "podman system migrate" if there is podman; or set ignore_chown_errors in storage.conf',
      cause,
    },
  );
}
