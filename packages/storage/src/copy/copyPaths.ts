import { basename, dirname } from 'node:path';
import { errnoCode, isStorageError, StorageError, type WarningHandler } from '@sediment/core';
import {
  close,
  fchmodat,
  fchownat,
  fstatatIfExists,
  mkdirat,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  type PosixStat,
  S_IFDIR,
  S_IFMT,
} from '@sediment/posix';
import { isArchivedXattr } from '../drivers/diff/entryXattrs.ts';
import type { BarrierRequest } from '../durability/disk.ts';
import type { Owner } from '../idmaps/idMappings.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { DirectoryCache } from '../unpack/directoryCache.ts';
import { directoryOpener } from '../unpack/resolveInRoot.ts';
import { type CopyPlace, type OpenPlace, withDestination, withSource } from './copyPlace.ts';
import { TreeCopier } from './copyTree.ts';
import { type FoundFile, findInside } from './findInside.ts';

/** Files to be copied into a layer or out of one. */
export interface CopyRequest {
  readonly sources: readonly CopyPlace[];
  /**
   * A directory's content is copied into this directory, which is made if need be. A file is copied to this
   * path, or into this directory if the path ends with a slash.
   */
  readonly destination: CopyPlace;
  /** Owner of all that is copied, inside of the destination's id maps; as in the source, if absent. */
  readonly chown?: Owner;
}

const DIRECTORY_MODE = 0o755;
/** Of directories that a single file needs. */
const PRIVATE_MODE = 0o700;
const OPEN_DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
const ROOT: Owner = { uid: 0, gid: 0 };

/**
 * Copies files and directories between layers and the host, with modes, times, hard links and capabilities.
 * Owners go from the ids of the source's layer to those of the destination's. Directories are merged, all
 * else in the way is replaced. Paths stay inside of their layer, whatever symlinks it has.
 *
 * Copies into a layer are on the disk afterwards, unless the policy is `none`.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`, `MOUNT_FAILED`; `COPY_FAILED` with the source as `path` and the
 *   destination as `object`; what was copied before stays
 */
export async function copyPaths(context: StoreContext, request: CopyRequest): Promise<void> {
  await withDestination(context, request.destination, async (target) => {
    const copyAll = async () => {
      for (const place of request.sources) {
        await withSource(context, place, (source) => {
          copyOne({ source, target, chown: request.chown, onWarning: context.onWarning });
        });
      }
    };
    if (request.destination.layer === undefined) return await copyAll();
    await context.disk.withBarrier(copyBarrier(target), async (barrier) => {
      await copyAll();
      await barrier.settle();
    });
  });
}

/** There is no record to come: all is on the disk when the copy is done. */
function copyBarrier({ root }: OpenPlace): BarrierRequest {
  const directory = `/proc/self/fd/${root}`;
  return { directories: [directory], records: '/', tracked: false };
}

interface OneCopy {
  readonly source: OpenPlace;
  readonly target: OpenPlace;
  readonly chown: Owner | undefined;
  readonly onWarning: WarningHandler;
}

function copyOne(copy: OneCopy): void {
  const { source, target } = copy;
  try {
    const found = findInside(source.root, Buffer.from(source.path));
    if (found === undefined) throw new Error(`stat ${source.shown}: no such file or directory`);
    try {
      if (isDirectory(found.stat)) copyDirectory(copy, found);
      else copyFile(copy, found);
    } finally {
      close(found.directory);
    }
  } catch (error) {
    throw copyFailed(error, source, target);
  }
}

function copyDirectory(copy: OneCopy, { directory, base }: FoundFile): void {
  const made = { mode: DIRECTORY_MODE, owner: ownerIn(copy, copy.chown ?? ROOT) };
  inTarget(copy, copy.target.path, made, (to) => {
    const from = openat(directory, base, OPEN_DIRECTORY);
    try {
      withCopier(copy, to, (copier) => copier.copyChildren(from));
    } finally {
      close(from);
    }
  });
}

function copyFile(copy: OneCopy, { directory: parent, base }: FoundFile): void {
  const { source, target } = copy;
  const name = target.path.endsWith('/') ? basename(source.path) : basename(target.path);
  const directory = target.path.endsWith('/') ? target.path : dirname(target.path);
  inTarget(copy, directory, { mode: PRIVATE_MODE, owner: undefined }, (to) => {
    const present = fstatatIfExists(to, name);
    if (present !== undefined && isDirectory(present)) {
      throw new Error(`cannot overwrite directory "/${name}" with non-directory "/"`);
    }
    withCopier(copy, to, (copier) => copier.copyEntry({ directory: parent, name: base }, Buffer.from(name)));
  });
}

interface NewDirectory {
  readonly mode: number;
  /** Whoever makes it, if absent. */
  readonly owner: Owner | undefined;
}

/** Opens a directory of the destination, which is made with those above it if need be. */
function inTarget(
  { target }: OneCopy,
  path: string,
  { mode, owner }: NewDirectory,
  fn: (directory: number) => void,
): void {
  const directories = new DirectoryCache({ root: `/proc/self/fd/${target.root}`, open: directoryOpener() });
  try {
    const wanted = Buffer.from(
      path
        .split('/')
        .filter((part) => part !== '' && part !== '.')
        .join('/'),
    );
    const { fd } = notADirectory(target.shown, () =>
      directories.getOrMake(wanted, (parent, name) => {
        mkdirat(parent.fd, name, mode);
        fchmodat(parent.fd, name, mode);
        if (owner !== undefined) fchownat(parent.fd, name, owner.uid, owner.gid);
      }),
    );
    fn(fd);
  } finally {
    directories.close();
  }
}

/** Names the whole path, which the system call was not told, when a part of it is no directory. */
function notADirectory<T>(path: string, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (errnoCode(error) !== 'ENOTDIR') throw error;
    throw new Error(`mkdir ${path}: not a directory`, { cause: error });
  }
}

function withCopier(copy: OneCopy, to: number, fn: (copier: TreeCopier) => void): void {
  const { source, chown, onWarning } = copy;
  const copier = new TreeCopier(to, {
    merge: true,
    ignoreChownErrors: false,
    ownerOf: (owner) => ownerIn(copy, chown ?? source.maps.toContainer(owner)),
    keepsXattr: isArchivedXattr,
    onWarning,
  });
  try {
    fn(copier);
  } finally {
    copier.close(copy.target.shown);
  }
}

/** Ids of the host for an owner inside of the destination. */
function ownerIn({ target }: OneCopy, owner: Owner): Owner {
  return target.maps.toHost(owner);
}

function isDirectory({ mode }: PosixStat): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

function copyFailed(error: unknown, source: OpenPlace, target: OpenPlace): StorageError {
  const text = error instanceof Error ? error.message : String(error);
  const errno = errnoCode(error);
  const code = errno === 'ENOSPC' || isStorageError(error, 'NO_SPACE') ? 'NO_SPACE' : 'COPY_FAILED';
  return new StorageError(code, `error copying "${source.shown}" to "${target.shown}": ${text}`, {
    path: source.shown,
    object: target.shown,
    ...(errno === undefined ? {} : { errnoCode: errno }),
    cause: error,
  });
}
