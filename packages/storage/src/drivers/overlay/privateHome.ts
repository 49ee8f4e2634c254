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
  moveMount,
  OPEN_TREE_CLONE,
  openTree,
  readMountInfo,
  UMOUNT_NOFOLLOW,
  umount2,
} from '@sediment/posix';
import { writeExactFile } from '../exactModes.ts';

/** How a later process knows the mount again: ids are reused, but other programs set no such option. */
interface MountMark {
  readonly home: string;
  readonly mountId: number;
  /** Empty where the kernel could not set it. */
  readonly option: 'nodiratime' | '';
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

  /** Noted before it is there: a mount that is not known as ours would stay for ever. */
  #mountOwn(home: string): void {
    const tree = detachedCopy(home);
    if (tree === undefined) {
      this.#mountPlainly(home);
      return;
    }
    try {
      this.#note({ home, mountId: mountIdOf(tree), option: 'nodiratime' });
      moveMount({ fromFd: tree, toPath: home });
    } catch (error) {
      this.#unmark();
      throw error;
    } finally {
      close(tree);
    }
  }

  /** Before Linux 5.12, or where a policy does not know the newer calls. */
  #mountPlainly(home: string): void {
    mount({ source: home, target: home, flags: MS_BIND });
    try {
      mount({ source: '', target: home, flags: MS_PRIVATE });
      const made = topMount(home);
      if (made !== undefined) this.#note({ home, mountId: made.mountId, option: '' });
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

  #note(mark: MountMark): void {
    const path = this.#markFile;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeExactFile(path, JSON.stringify(mark), 0o600);
    } catch (error) {
      this.#unmark();
      throw wrapSystemError(error, `noting the mount of ${mark.home} in ${path}`, 'IO', { path });
    }
  }

  #isOurs({ mountPoint, mountId, options }: MountInfo): boolean {
    const text = readFileSync(this.#markFile, 'utf8');
    const isMarked = options.split(',').includes('nodiratime');
    const isNoted = (option: MountMark['option']) =>
      text === JSON.stringify({ home: mountPoint, mountId, option } satisfies MountMark);
    return isNoted('') || (isMarked && isNoted('nodiratime'));
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
 * A copy of the mount that a directory lies on, from that directory on, which is nowhere mounted yet. It is private,
 * and has an option that nobody else sets. That has no effect below: overlay decides on access times of its
 * layers itself. Undefined where this cannot be made.
 */
function detachedCopy(home: string): number | undefined {
  let tree: number | undefined;
  try {
    tree = openTree(AT_FDCWD, home, OPEN_TREE_CLONE);
    mountSetattr(tree, { set: MOUNT_ATTR_NODIRATIME, propagation: MS_PRIVATE });
    return tree;
  } catch (error) {
    if (tree !== undefined) close(tree);
    if (errnoCode(error) !== 'ENOSYS' && errnoCode(error) !== 'EPERM') throw error;
    return undefined;
  }
}

/** Known before it is mounted, and kept then. */
function mountIdOf(fd: number): number {
  const [, id] = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8')) ?? [];
  if (id === undefined) throw new Error(`/proc/self/fdinfo/${fd} has no mnt_id`);
  return Number(id);
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
