import { existsSync, mkdirSync, readFileSync, realpathSync, unlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { errnoCode, wrapSystemError } from '@sediment/core';
import {
  AT_FDCWD,
  close,
  MNT_DETACH,
  MOUNT_ATTR_NODIRATIME,
  type MountInfo,
  MS_BIND,
  MS_PRIVATE,
  mount,
  mountSetattr,
  openTree,
  readMountInfo,
  UMOUNT_NOFOLLOW,
  umount2,
} from '@sediment/posix';
import { writeExactFile } from '../exactModes.ts';

/** How a later process knows the mount again: ids are reused, but other programs set no such options. */
interface MountMark {
  readonly home: string;
  readonly mountId: number;
  readonly options: string;
}

/**
 * The driver home as a private mount of itself, so that layers mounted below do not show up in other
 * mount namespaces and keep their directories busy there. containers/storage makes it whenever it is
 * opened and leaves it; we make it before our first mount and take it back after the last, unless
 * another program made it.
 */
export class PrivateHome {
  readonly #home: string;
  readonly #markFile: string;

  /** @param markFile where to note that the mount is ours; in the run root, so that a restart clears it */
  constructor(home: string, markFile: string) {
    this.#home = home;
    this.#markFile = markFile;
  }

  /** Makes the home a private mount, if it is none. Call it under the layers lock. */
  ensure(): void {
    const home = realpathSync(this.#home);
    try {
      const present = topMount(home);
      if (present !== undefined && present.optional.length === 0) return;
      if (present === undefined) this.#mountOwn(home);
      else mount({ source: '', target: home, flags: MS_PRIVATE });
    } catch (error) {
      throw wrapSystemError(error, `making ${home} a private mount`, 'MOUNT_FAILED', {
        path: home,
        hint: 'set skip_mount_home = "true" in storage.conf if this host does not allow it',
      });
    }
  }

  /** A mount that is not noted as ours would stay for ever. */
  #mountOwn(home: string): void {
    mount({ source: home, target: home, flags: MS_BIND });
    try {
      mount({ source: '', target: home, flags: MS_PRIVATE });
      this.#mark(home);
    } catch (error) {
      unmount(home);
      throw error;
    }
  }

  /** Whether {@link PrivateHome.release} may have something to do. */
  get mayBeOurs(): boolean {
    return existsSync(this.#markFile);
  }

  /**
   * Unmounts the home if this program family mounted it and nothing is mounted below. Call it under the
   * layers lock, so that nobody mounts a layer meanwhile.
   *
   * @param options.everyones also if another program mounted it; a disk that is mounted there stays
   * @returns whether it was taken away
   */
  release({ everyones = false }: { readonly everyones?: boolean } = {}): boolean {
    if (!this.mayBeOurs && !everyones) return false;
    const home = realpathSync(this.#home);
    const present = topMount(home);
    if (present !== undefined && (everyones ? isMountOfItself(present) : this.#isOurs(present))) {
      if (readMountInfo().some(({ mountPoint }) => mountPoint.startsWith(`${home}/`))) return false;
      unmount(home);
    }
    this.#unmark();
    return true;
  }

  #mark(home: string): void {
    makeRecognizable(home);
    const made = topMount(home);
    if (made === undefined) return;
    const mark: MountMark = { home, mountId: made.mountId, options: made.options };
    const path = this.#markFile;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeExactFile(path, JSON.stringify(mark), 0o600);
    } catch (error) {
      this.#unmark();
      throw wrapSystemError(error, `noting the mount of ${home} in ${path}`, 'IO', { path });
    }
  }

  #isOurs({ mountPoint, mountId, options }: MountInfo): boolean {
    const expected: MountMark = { home: mountPoint, mountId, options };
    return readFileSync(this.#markFile, 'utf8') === JSON.stringify(expected);
  }

  #unmark(): void {
    try {
      unlinkSync(this.#markFile);
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT') throw error;
    }
  }
}

/**
 * Gives the mount an option that nobody else sets. It has no effect below: overlay decides on access
 * times of its layers itself.
 */
function makeRecognizable(home: string): void {
  try {
    const tree = openTree(AT_FDCWD, home);
    try {
      mountSetattr(tree, { set: MOUNT_ATTR_NODIRATIME });
    } finally {
      close(tree);
    }
  } catch (error) {
    // Before Linux 5.12, or where a policy does not know the calls, the mount id has to do.
    if (errnoCode(error) !== 'ENOSYS' && errnoCode(error) !== 'EPERM') throw error;
  }
}

function topMount(home: string): MountInfo | undefined {
  return readMountInfo().findLast(({ mountPoint }) => mountPoint === home);
}

/** Whether a mount shows the directory that it hides. */
function isMountOfItself({ parentId, device, root, mountPoint }: MountInfo): boolean {
  const parent = readMountInfo().find(({ mountId }) => mountId === parentId);
  if (parent === undefined || parent.device !== device) return false;
  return join(parent.root, relative(parent.mountPoint, mountPoint)) === root;
}

/** Files that are open below do not stand in the way. */
function unmount(home: string): void {
  try {
    umount2(home, UMOUNT_NOFOLLOW | MNT_DETACH);
  } catch (error) {
    throw wrapSystemError(error, `unmounting ${home}`, 'IO', { path: home });
  }
}
