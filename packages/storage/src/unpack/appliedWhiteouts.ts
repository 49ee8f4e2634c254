import { TAR_TYPE, type TarHeader } from '@sediment/codec';
import { close, fstatat, O_CLOEXEC, O_DIRECTORY, O_RDONLY, openat } from '@sediment/posix';
import { AufsLinks } from './aufsLinks.ts';
import { type EntryPath, splitEntryPath } from './entryPath.ts';
import type { OpenDirectory } from './openDirectory.ts';
import { listNames } from './removeEntry.ts';
import { isDirectory, type Tree } from './tree.ts';
import { isAufsLink, isAufsMetadata, isOpaqueMarker, isWhiteoutName } from './whiteoutName.ts';
import { deletedName, type Outcome, type WhiteoutRules } from './whiteoutRules.ts';

const SELF = Buffer.from('.');
const READ_DIRECTORY = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

/**
 * Deletions carried out at once, on a tree that starts as a copy of the parent layer's. Facts:
 * containers/storage `pkg/archive` `UnpackLayer`.
 */
export class AppliedWhiteouts implements WhiteoutRules {
  readonly #tree: Tree;
  readonly #aufsLinks: AufsLinks;
  /** Paths (without symlinks) that this layer unpacked, which its own opaque markers spare. */
  readonly #unpacked = new Set<string>();
  /** Directories on the way to them. */
  readonly #ancestors = new Set<string>();

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#aufsLinks = new AufsLinks(tree);
  }

  intercept(header: TarHeader, path: EntryPath): Outcome | undefined {
    const { base, clean } = path;
    if (isAufsMetadata(clean) && !isOpaqueMarker(clean)) return this.#skipAufsMetadata(header, path);
    if (isWhiteoutName(base)) {
      if (isOpaqueMarker(base)) this.#hideParent(path);
      else this.#delete(path);
      return 'done';
    }
    if (header.typeflag === TAR_TYPE.hardlink) {
      const target = splitEntryPath(header.linkname, 'link target');
      if (!isAufsLink(target.clean)) return undefined;
      this.#aufsLinks.copyTo(path, target.base);
      this.made(this.#tree.parentOf(path), path);
      return 'done';
    }
    return undefined;
  }

  made(directory: OpenDirectory, path: EntryPath): void {
    if (path.isRoot) return;
    const parent = directory.realPath;
    this.#unpacked.add(`${parent}/${path.base.toString('latin1')}`);
    for (let at = parent; at !== '' && !this.#ancestors.has(at); at = at.slice(0, at.lastIndexOf('/'))) {
      this.#ancestors.add(at);
    }
  }

  madeDirectoryInsteadOf(): void {
    // What was there before is gone.
  }

  finish(): void {
    this.#aufsLinks.remove();
  }

  close(): void {
    this.#aufsLinks.close();
  }

  #skipAufsMetadata(header: TarHeader, path: EntryPath): Outcome {
    this.#tree.makeParentOf(path);
    if (!isAufsLink(path.clean) || header.typeflag !== TAR_TYPE.regular) return 'done';
    return this.#aufsLinks.keep(header, path.base);
  }

  #delete(path: EntryPath): void {
    const name = deletedName(path);
    this.#tree.remove(this.#tree.makeParentOf(path), name);
  }

  /** Removes from the marker's directory all that does not come from this layer. */
  #hideParent(path: EntryPath): void {
    const directory = this.#tree.makeParentOf(path);
    const { realPath } = directory;
    const fd = openat(directory.fd, SELF, READ_DIRECTORY);
    try {
      this.#removeOthers(fd, realPath);
    } finally {
      close(fd);
    }
    this.#tree.forgetDirectories();
  }

  /**
   * Directories that this layer unpacked something into stay even if the layer has no entry for them
   * (containers/storage removes them with all in them).
   */
  #removeOthers(fd: number, realPath: string): void {
    for (const name of listNames(fd)) {
      if (this.#aufsLinks.isOwnDirectory(realPath, name)) continue;
      const path = `${realPath}/${name.toString('latin1')}`;
      const ours = this.#unpacked.has(path);
      if (!ours && !this.#ancestors.has(path)) this.#tree.removeFrom(fd, name);
      else if (!ours || isDirectory(fstatat(fd, name))) this.#removeOthersBelow(fd, name, path);
    }
  }

  #removeOthersBelow(fd: number, name: Buffer, realPath: string): void {
    const child = openat(fd, name, READ_DIRECTORY);
    try {
      this.#removeOthers(child, realPath);
    } finally {
      close(child);
    }
  }
}
