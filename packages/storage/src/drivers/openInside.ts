import { closeSync, constants as fsConstants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs';
import { cleanPath, errnoCode } from '@sediment/core';
import {
  AT_FDCWD,
  capabilities,
  close,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openat,
  openat2,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  regularFileSize,
} from '@sediment/posix';

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EXDEV']);
const MAX_SYMLINKS = 40;
const SLASH = 0x2f;
const INSIDE = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
const DIRECTORY = O_PATH | O_DIRECTORY | O_CLOEXEC;
const READ = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;

/**
 * Opens a regular file below `root` for reading. The name is cleaned as text first, as it was when the file was
 * made: `x/../y` is `y` even where there is no `x`. Symlinks in the way are resolved as if `root` were `/`,
 * so that nothing outside is ever opened; a symlink, device or pipe at the end is not opened either.
 *
 * @returns the descriptor, which the caller closes, or undefined when there is no such regular file
 */
export function openInside(root: string, name: Buffer): number | undefined {
  return unlessMissing(() => {
    const clean = cleanPath(name);
    if (!capabilities().openat2) return openByWalk(root, clean)?.fd;
    const directory = openSync(root, O_PATH | fsConstants.O_DIRECTORY);
    try {
      return openByKernel(directory, clean);
    } finally {
      closeSync(directory);
    }
  });
}

export interface OpenedInside {
  readonly fd: number;
  /** In bytes. */
  readonly size: number;
  /** How the descriptor is closed: with what opened it, for Node.js keeps count in some threads. */
  readonly close: (fd: number) => void;
}

/**
 * The tree of a layer, in which {@link openInside} is done many times: names that follow each other mostly have one
 * directory, which is kept open. Nobody changes the tree meanwhile. Whoever made it closes it.
 */
export class InsideDirectory {
  readonly #root: string;
  #rootFd: number | undefined;
  #directory: { readonly name: Buffer; readonly fd: number } | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** As {@link openInside}. */
  open(name: Buffer): OpenedInside | undefined {
    return unlessMissing(() => {
      const clean = cleanPath(name);
      if (!capabilities().openat2) return openByWalk(this.#root, clean);
      const slash = clean.lastIndexOf(SLASH);
      return openFileAt(this.#open(clean.subarray(0, Math.max(slash, 0))), clean.subarray(slash + 1));
    });
  }

  close(): void {
    this.#leaveDirectory();
    if (this.#rootFd !== undefined) close(this.#rootFd);
    this.#rootFd = undefined;
  }

  #open(directory: Buffer): number {
    this.#rootFd ??= openat(AT_FDCWD, this.#root, DIRECTORY);
    if (directory.length === 0) return this.#rootFd;
    if (this.#directory?.name.equals(directory) !== true) {
      this.#leaveDirectory();
      const fd = openat2(this.#rootFd, directory, { flags: DIRECTORY, resolve: INSIDE });
      // The name lies in a buffer that others use.
      this.#directory = { name: Buffer.from(directory), fd };
    }
    return (this.#directory as { fd: number }).fd;
  }

  #leaveDirectory(): void {
    if (this.#directory !== undefined) close(this.#directory.fd);
    this.#directory = undefined;
  }
}

/** Looks first: what lies there may be a device, which must not be opened. */
function openFileAt(directory: number, base: Buffer): OpenedInside | undefined {
  const size = regularFileSize(directory, base);
  return size === undefined ? undefined : { fd: openat(directory, base, READ), size, close };
}

function openByKernel(directory: number, name: Buffer): number | undefined {
  // Opened without side effects first: what lies there may be a device, and others may change the tree.
  const found = openat2(directory, name, { flags: O_PATH | O_NOFOLLOW | O_CLOEXEC, resolve: INSIDE });
  try {
    return fstatSync(found).isFile() ? openSync(`/proc/self/fd/${found}`, 'r') : undefined;
  } finally {
    close(found);
  }
}

function unlessMissing<T>(open: () => T | undefined): T | undefined {
  try {
    return open();
  } catch (error) {
    if (NOT_THERE.has(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * The same where the kernel cannot: component by component. A layer's tree does not change while it is
 * in the store, so that names cannot be swapped in between.
 *
 * @internal exported for its test
 */
export function openByWalk(root: string, name: Buffer): OpenedInside | undefined {
  const pending = components(name.toString('latin1')).reverse();
  const walked: string[] = [];
  let symlinks = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '..') walked.pop();
    else walked.push(part);
    const path = pathOf(root, walked);
    const stat = lstatSync(path);
    if (pending.length === 0) {
      return stat.isFile() ? { fd: openSync(path, 'r'), size: stat.size, close: closeSync } : undefined;
    }
    if (!stat.isSymbolicLink()) continue;
    if (++symlinks > MAX_SYMLINKS) return undefined;
    walked.pop();
    const target = readlinkSync(path, { encoding: 'buffer' }).toString('latin1');
    if (target.startsWith('/')) walked.length = 0;
    pending.push(...components(target).reverse());
  }
  return undefined;
}

function components(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function pathOf(root: string, parts: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from(root), Buffer.from(['', ...parts].join('/'), 'latin1')]);
}
