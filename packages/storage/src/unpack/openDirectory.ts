import { AT_EMPTY_PATH, AT_FDCWD, fstatat, isPosixError, lgetxattr, readlinkat } from '@sediment/posix';

const NO_PATH = Buffer.alloc(0);
const DEFAULT_ACL = 'system.posix_acl_default';
const SET_GROUP_ID = 0o2000;

/** A directory of the tree, held open (O_PATH) by the {@link DirectoryCache} it comes from. */
export class OpenDirectory {
  /** Below the root, as it was asked for; symlinks are not resolved. Empty for the root. */
  readonly path: Buffer;
  readonly fd: number;
  readonly #gid: number;
  #plain: boolean | undefined;
  #realPath: string | undefined;

  constructor(path: Buffer, fd: number, gid: number) {
    this.path = path;
    this.fd = fd;
    this.#gid = gid;
  }

  /**
   * Whether new files here get this process's group and exactly the mode that was asked for. Not so
   * below a directory (or a `grpid` mount) of another group, below a set-group-ID directory, which hands that bit
   * down to directories, or with a default ACL.
   */
  get givesPlainFiles(): boolean {
    this.#plain ??= this.#handsDownNothing();
    return this.#plain;
  }

  /** Absolute path without symlinks; bytes as Latin-1 characters. */
  get realPath(): string {
    const path = this.#realPath ?? readlinkat(AT_FDCWD, `/proc/self/fd/${this.fd}`).toString('latin1');
    this.#realPath = path;
    return path;
  }

  /**
   * A path to an entry here that needs no further resolution, for the calls that take no directory
   * descriptor (xattrs).
   */
  entryPath(base: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.fd}/`), base]);
  }

  #handsDownNothing(): boolean {
    const { gid, mode } = fstatat(this.fd, NO_PATH, AT_EMPTY_PATH);
    return gid === this.#gid && (mode & SET_GROUP_ID) === 0 && !this.#hasDefaultAcl();
  }

  #hasDefaultAcl(): boolean {
    try {
      return lgetxattr(`/proc/self/fd/${this.fd}/.`, DEFAULT_ACL) !== undefined;
    } catch (error) {
      if (isPosixError(error, 'EOPNOTSUPP')) return false;
      throw error;
    }
  }
}
