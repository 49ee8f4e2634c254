import { readSync } from 'node:fs';
import type { TarHeader } from '@sediment/codec';
import { StorageError } from '@sediment/core';
import {
  AT_REMOVEDIR,
  close,
  mkdirat,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openat,
  unlinkat,
} from '@sediment/posix';
import { crypto } from '../lazyModules.ts';
import type { EntryPath } from './entryPath.ts';
import { OpenDirectory } from './openDirectory.ts';
import { RegularFile } from './regularFile.ts';
import type { Tree } from './tree.ts';

const COPY_BLOCK = 256 * 1024;

interface Kept {
  readonly header: TarHeader;
  readonly base: Buffer;
}

/**
 * Files of `.wh..wh.plnk/`, where the AUFS driver of early Docker kept what had several hard links.
 * They are no part of the tree; a hard link to one becomes a copy, with the metadata of the kept file.
 * Until all is unpacked they lie in a directory of the tree's root.
 */
export class AufsLinks {
  readonly #tree: Tree;
  readonly #kept = new Map<string, Kept>();
  readonly #name = Buffer.from(`temp-storage-extract${crypto().randomBytes(8).toString('hex')}`);
  #directory: OpenDirectory | undefined;
  #count = 0;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** A file to write the content of the kept entry to. A later one of the same base name replaces it. */
  keep(header: TarHeader, base: Buffer): RegularFile {
    const kept = { header, base: Buffer.from(String(this.#count++)) };
    const { metadata, umaskIsZero } = this.#tree;
    const directory = this.#openDirectory();
    const file = new RegularFile({ directory, base: kept.base, header }, metadata, umaskIsZero);
    this.#kept.set(base.toString('latin1'), kept);
    return file;
  }

  /** Makes `path` a copy of a kept file. */
  copyTo(path: EntryPath, base: Buffer): void {
    const kept = this.#kept.get(base.toString('latin1'));
    if (kept === undefined) {
      throw new StorageError(
        'UNPACK_FAILED',
        'invalid aufs hardlink: its target is not in the layer before it',
      );
    }
    const { metadata, umaskIsZero } = this.#tree;
    const source = openat(this.#openDirectory().fd, kept.base, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    try {
      const file = this.#tree.place(
        path,
        (directory) =>
          new RegularFile({ directory, base: path.base, header: kept.header }, metadata, umaskIsZero),
      );
      copyContent(source, file);
    } finally {
      close(source);
    }
  }

  /** Whether this entry of the root is the directory of the kept files. */
  isOwnDirectory(directoryPath: string, name: Buffer): boolean {
    return name.equals(this.#name) && directoryPath === this.#tree.root.realPath;
  }

  /** Removes the kept files. */
  remove(): void {
    if (this.#directory === undefined) return;
    this.#tree.removeFrom(this.#tree.root.fd, this.#name);
    this.close();
  }

  /** Closes the descriptor, as {@link remove} does. */
  close(): void {
    if (this.#directory === undefined) return;
    close(this.#directory.fd);
    this.#directory = undefined;
  }

  #openDirectory(): OpenDirectory {
    if (this.#directory === undefined) {
      const root = this.#tree.root.fd;
      mkdirat(root, this.#name, 0o700);
      this.#directory = new OpenDirectory(this.#name, openMade(root, this.#name), -1);
    }
    return this.#directory;
  }
}

/** Opens a new directory, or removes it. */
function openMade(parent: number, name: Buffer): number {
  try {
    return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  } catch (error) {
    unlinkat(parent, name, AT_REMOVEDIR);
    throw error;
  }
}

function copyContent(source: number, file: RegularFile): void {
  const block = Buffer.allocUnsafe(COPY_BLOCK);
  try {
    for (let length = readSync(source, block); length > 0; length = readSync(source, block)) {
      file.write(block.subarray(0, length));
    }
  } catch (error) {
    file.abandon();
    throw error;
  }
  file.finish();
}
