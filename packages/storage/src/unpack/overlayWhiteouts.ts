import type { TarHeader } from '@sediment/codec';
import { isPosixError, lsetxattr, mknodat, type PosixStat, S_IFCHR, S_IFMT } from '@sediment/posix';
import type { EntryPath } from './entryPath.ts';
import type { OpenDirectory } from './openDirectory.ts';
import type { Tree } from './tree.ts';
import { isOpaqueMarker, isWhiteoutName } from './whiteoutName.ts';
import { deletedName, type Outcome, type WhiteoutRules } from './whiteoutRules.ts';

const SELF = Buffer.from('.');
const YES = Buffer.from('y');

/**
 * Deletions in the form of the kernel's overlay file system (its documentation, "whiteouts and opaque
 * directories"): a character device 0:0 stands for a deleted name, an attribute marks a directory that
 * hides the ones below. Facts: containers/storage `pkg/archive` `overlayWhiteoutConverter`.
 */
export class OverlayWhiteouts implements WhiteoutRules {
  readonly #tree: Tree;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  intercept(header: TarHeader, path: EntryPath): Outcome | undefined {
    if (!isWhiteoutName(path.base)) return undefined;
    try {
      if (isOpaqueMarker(path.base)) this.#markOpaque(this.#tree.makeParentOf(path), SELF);
      else this.#makeWhiteout(header, path);
    } catch (error) {
      // Tools that delete a tree may write `.wh.d` and then `d/.wh.x`: nothing is left to delete there.
      if (!isPosixError(error, 'ENOTDIR')) throw error;
    }
    return 'done';
  }

  made(): void {
    // The kernel merges; what else is in the tree does not matter.
  }

  /**
   * `.wh.d` and then `d/` in one layer: the new directory must go on hiding what the whiteout hid.
   * (containers/storage makes a plain directory, and the deleted content shows through again.)
   */
  madeDirectoryInsteadOf(replaced: PosixStat, directory: OpenDirectory, base: Buffer): void {
    const isWhiteout = (replaced.mode & S_IFMT) === S_IFCHR && replaced.rdev === 0;
    if (isWhiteout) this.#markOpaque(directory, base);
  }

  finish(): void {
    // Nothing is deferred.
  }

  close(): void {
    // Nothing is held open.
  }

  #makeWhiteout(header: TarHeader, path: EntryPath): void {
    const name = deletedName(path);
    const directory = this.#tree.makeParentOf(path);
    mknodat(directory.fd, name, S_IFCHR, 0);
    this.#tree.metadata.chown(directory, name, header);
  }

  #markOpaque(directory: OpenDirectory, base: Buffer): void {
    lsetxattr(directory.entryPath(base), this.#tree.policy.opaqueXattr, YES);
  }
}
