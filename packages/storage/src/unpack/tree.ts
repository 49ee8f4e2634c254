import {
  fchmodat,
  fstatat,
  fstatatIfExists,
  isPosixError,
  mkdirat,
  type PosixStat,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
} from '@sediment/posix';
import type { UnpackPolicy } from '../drivers/unpackPolicy.ts';
import type { Owner } from '../idmaps/idMappings.ts';
import { DirectoryCache } from './directoryCache.ts';
import { EntryMetadata } from './entryMetadata.ts';
import type { EntryPath } from './entryPath.ts';
import type { OpenDirectory } from './openDirectory.ts';
import { removeEntry } from './removeEntry.ts';
import { type DirectoryOpener, directoryOpener } from './resolveInRoot.ts';
import type { WarningTally } from './warningTally.ts';

export interface TreeOptions {
  readonly root: string;
  readonly policy: UnpackPolicy;
  /** Who owns directories that the tar does not have: root, as the host sees it. */
  readonly rootOwner: Owner;
  readonly warnings: WarningTally;
  /** Whether modes given to system calls are the modes that files get. */
  readonly umaskIsZero: boolean;
  readonly inUserNamespace: boolean;
  /** Called before slow steps; may throw, to stop. */
  readonly checkpoint: () => void;
  /** Default: what this host has. */
  readonly opener?: DirectoryOpener;
}

const INHERITED_BITS = 0o7000;

export function isDirectory(stat: PosixStat): boolean {
  return (stat.mode & S_IFMT) === S_IFDIR;
}

/** The directory tree that a layer is unpacked into: looks up, makes room, removes. */
export class Tree {
  readonly policy: UnpackPolicy;
  readonly metadata: EntryMetadata;
  readonly umaskIsZero: boolean;
  readonly inUserNamespace: boolean;
  readonly warnings: WarningTally;
  readonly #rootOwner: Owner;
  readonly #directories: DirectoryCache;
  readonly #checkpoint: () => void;

  constructor(options: TreeOptions) {
    const { root, policy, warnings, inUserNamespace } = options;
    this.policy = policy;
    this.#rootOwner = options.rootOwner;
    this.warnings = warnings;
    this.inUserNamespace = inUserNamespace;
    this.umaskIsZero = options.umaskIsZero;
    this.#checkpoint = options.checkpoint;
    this.#directories = new DirectoryCache({ root, open: options.opener ?? directoryOpener() });
    this.metadata = new EntryMetadata({
      ignoreChownErrors: policy.ignoreChownErrors,
      inUserNamespace,
      warnings,
    });
  }

  get root(): OpenDirectory {
    return this.#directories.root;
  }

  /** The directory that holds `path`. Valid until something is removed from the tree. */
  parentOf(path: EntryPath): OpenDirectory {
    return this.#directories.get(path.parent);
  }

  /** The same; missing directories are made, with the policy's mode. */
  makeParentOf(path: EntryPath): OpenDirectory {
    return this.#directories.getOrMake(path.parent, this.#makeParent);
  }

  /** Calls `make` with the directory that holds `path`; if EEXIST, removes what is in the way and repeats. */
  place<T>(path: EntryPath, make: (directory: OpenDirectory) => T): T {
    const directory = this.makeParentOf(path);
    try {
      return make(directory);
    } catch (error) {
      if (!isPosixError(error, 'EEXIST')) throw error;
    }
    this.remove(directory, path.base);
    return make(this.makeParentOf(path));
  }

  /** Removes an entry with all below it; a missing one is fine. Directories got before are invalid then. */
  remove(directory: OpenDirectory, base: Buffer): void {
    const stat = fstatatIfExists(directory.fd, base);
    if (stat === undefined) return;
    this.removeFrom(directory.fd, base);
    const type = stat.mode & S_IFMT;
    if (type === S_IFDIR || type === S_IFLNK) this.forgetDirectories();
  }

  /** Like {@link remove}, but the caller must call {@link forgetDirectories} when a directory or symlink may be gone. */
  removeFrom(dirfd: number, base: Buffer): void {
    removeEntry(dirfd, base, this.#checkpoint);
  }

  /** Call after changing what a directory hands down to new files (group, default ACL). */
  forgetDirectories(): void {
    this.#directories.clear();
  }

  /** Closes the descriptors. */
  close(): void {
    this.#directories.close();
  }

  readonly #makeParent = (parent: OpenDirectory, name: Buffer): void => {
    const { parentMode, whiteouts } = this.policy;
    mkdirat(parent.fd, name, parentMode);
    if (!this.umaskIsZero) {
      const { mode } = fstatat(parent.fd, name);
      fchmodat(parent.fd, name, (mode & INHERITED_BITS) | parentMode);
    }
    // Only the overlay engine of containers/storage gives them an owner.
    if (whiteouts === 'overlay') this.metadata.chown(parent, name, { ...this.#rootOwner, name });
  };
}
