import { closeSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageError } from '@sediment/core';
import {
  AT_FDCWD,
  AT_RECURSIVE,
  fsconfig,
  fsmount,
  fsopen,
  isPosixError,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  maxMountDataBytes,
  mount,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  OPEN_TREE_CLONE,
  openTree,
  UMOUNT_NOFOLLOW,
  umount2,
} from '@sediment/posix';

export interface DetachedMountRequest {
  /** Nearest first; at least two. */
  readonly directories: readonly string[];
  /** Of the file system (`metacopy=on`, `userxattr`), not of the mount. */
  readonly options: readonly string[];
}

const ATTRIBUTES = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
const FLAGS = MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC;

/**
 * An overlay of directories, read-only and without a place in the file system: nobody else sees it, it
 * changes nothing on disk, and it ends with the returned descriptor, however this program ends.
 *
 * Directories are handed over as descriptors, so that the length and spelling of paths do not matter.
 */
export function mountDetached(request: DetachedMountRequest): number {
  const descriptors: number[] = [];
  try {
    for (const directory of request.directories) {
      descriptors.push(openSync(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    const lowers = descriptors.map((fd) => `/proc/self/fd/${fd}`);
    return mountByDescriptor(lowers, request.options) ?? mountInPassing(lowers, request.options);
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

/** By fsopen(2); undefined where the kernel takes no lower directories one by one (before Linux 6.7). */
function mountByDescriptor(lowers: readonly string[], options: readonly string[]): number | undefined {
  const fs = openOverlay();
  if (fs === undefined) return undefined;
  try {
    if (!takesFirst(fs, lowers[0])) return undefined;
    for (const lower of lowers.slice(1)) fsconfig(fs, { kind: 'string', key: 'lowerdir+', value: lower });
    for (const option of options) setOption(fs, option);
    fsconfig(fs, { kind: 'create' });
    return fsmount(fs, ATTRIBUTES);
  } finally {
    closeSync(fs);
  }
}

function openOverlay(): number | undefined {
  try {
    return fsopen('overlay');
  } catch (error) {
    if (isPosixError(error, 'ENOSYS')) return undefined;
    throw error;
  }
}

function takesFirst(fs: number, lower: string): boolean {
  try {
    fsconfig(fs, { kind: 'string', key: 'lowerdir+', value: lower });
    return true;
  } catch (error) {
    if (isPosixError(error, 'EINVAL')) return false;
    throw error;
  }
}

function setOption(fs: number, option: string): void {
  const at = option.indexOf('=');
  if (at < 0) fsconfig(fs, { kind: 'flag', key: option });
  else fsconfig(fs, { kind: 'string', key: option.slice(0, at), value: option.slice(at + 1) });
}

/**
 * On older kernels: mounted on a directory of its own outside the store, and taken from there at once.
 *
 * @internal exported for its test
 */
export function mountInPassing(lowers: readonly string[], options: readonly string[]): number {
  const place = mkdtempSync(join(tmpdir(), 'sediment-look-'));
  try {
    const data = [`lowerdir=${lowers.join(':')}`, ...options].join(',');
    if (data.length > maxMountDataBytes()) throw tooMany(lowers.length);
    mount({ source: 'overlay', target: place, fstype: 'overlay', flags: FLAGS, data });
    try {
      return openTree(AT_FDCWD, place, OPEN_TREE_CLONE | AT_RECURSIVE);
    } finally {
      umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW);
    }
  } finally {
    rmdirSync(place);
  }
}

function tooMany(lowers: number): StorageError {
  return new StorageError(
    'NOT_SUPPORTED',
    `this kernel cannot show ${lowers} directories in a mount that nobody sees`,
    { actual: lowers, hint: 'it can since Linux 6.7' },
  );
}
