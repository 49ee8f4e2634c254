import { closeSync, constants as fsConstants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs';
import { cleanPath, errnoCode } from '@sediment/core';
import {
  capabilities,
  O_CLOEXEC,
  O_NOFOLLOW,
  O_PATH,
  openat2,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '@sediment/posix';

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EXDEV']);
const MAX_SYMLINKS = 40;

/**
 * Opens a regular file below `root` for reading. The name is cleaned as text first, as it was when the file was
 * made: `x/../y` is `y` even where there is no `x`. Symlinks in the way are resolved as if `root` were `/`,
 * so that nothing outside is ever opened; a symlink, device or pipe at the end is not opened either.
 *
 * @returns the descriptor, which the caller closes, or undefined when there is no such regular file
 */
export function openInside(root: string, name: Buffer): number | undefined {
  const directory = new InsideDirectory(root);
  try {
    return directory.open(name)?.fd;
  } finally {
    directory.close();
  }
}

export interface OpenedInside {
  readonly fd: number;
  /** In bytes. */
  readonly size: number;
}

/** A directory that {@link openInside} is done in many times. Whoever made it closes it. */
export class InsideDirectory {
  readonly #root: string;
  #fd: number | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** As {@link openInside}. */
  open(name: Buffer): OpenedInside | undefined {
    const clean = cleanPath(name);
    try {
      if (!capabilities().openat2) return openByWalk(this.#root, clean);
      this.#fd ??= openSync(this.#root, O_PATH | fsConstants.O_DIRECTORY);
      return openByKernel(this.#fd, clean);
    } catch (error) {
      if (NOT_THERE.has(errnoCode(error) ?? '')) return undefined;
      throw error;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function openByKernel(directory: number, name: Buffer): OpenedInside | undefined {
  // Opened without side effects first: what lies there may be a device.
  const flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  const found = openat2(directory, name, { flags, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS });
  try {
    const stat = fstatSync(found);
    return stat.isFile() ? { fd: openSync(`/proc/self/fd/${found}`, 'r'), size: stat.size } : undefined;
  } finally {
    closeSync(found);
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
      return stat.isFile() ? { fd: openSync(path, 'r'), size: stat.size } : undefined;
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
