import { existsSync, lstatSync, readdirSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, type WarningHandler, wrapSystemError } from '@sediment/core';
import { MNT_DETACH, mount, UMOUNT_NOFOLLOW, umount2 } from '@sediment/posix';
import { removeTree } from '../../staging/removeTree.ts';
import { ensureDirectory, makeDirectory } from '../exactModes.ts';
import { lowerDirectories } from './lowerDirectories.ts';
import { isOverlayMounted } from './mountedPath.ts';
import { assertFitsMountData, overlayMountRequest } from './mountRequest.ts';
import type { LayerPaths, OverlayHome } from './overlayHome.ts';
import { privateAttributes } from './rootAttributes.ts';

export interface LayerMountRequest {
  readonly id: string;
  /** Complete: flags, file-system options, `ro`. */
  readonly options: readonly string[];
  readonly mountLabel?: string | undefined;
  readonly onWarning: WarningHandler;
}

const PRIVATE_MODE = 0o700;
const PERMISSIONS = 0o777;

/** Mounts a layer on its `merged` directory with all that lies below it. */
export function mountLayer(home: OverlayHome, request: LayerMountRequest): void {
  const { id, options, mountLabel } = request;
  const paths = home.layer(id);
  try {
    const lowers = lowerDirectories(home, id, request.onWarning);
    prepareDirectories(paths, lowers);
    const layers = options.includes('ro')
      ? { lowers: [paths.diff, ...lowers] }
      : { lowers, upper: { diff: paths.diff, work: paths.work } };
    const { flags, data } = overlayMountRequest({ ...layers, options, mountLabel });
    assertFitsMountData(data, id, layers.lowers.length);
    mount({ source: 'overlay', target: paths.merged, fstype: 'overlay', flags, data });
  } catch (error) {
    throw wrapSystemError(error, `mounting layer "${id}" on ${paths.merged}`, 'MOUNT_FAILED', {
      object: id,
      path: paths.merged,
      hint: 'the kernel log (dmesg) may say more',
    });
  }
}

/** Unmounts a layer and leaves an empty mount point. Not being mounted is fine. */
export function unmountLayer(home: OverlayHome, id: string): void {
  const paths = home.layer(id);
  try {
    detachMapped(join(paths.dir, 'mapped'));
    if (!isOverlayMounted(paths.merged)) return;
    do umount2(paths.merged, MNT_DETACH | UMOUNT_NOFOLLOW);
    while (isOverlayMounted(paths.merged));
    renewMountPoint(paths);
  } catch (error) {
    throw wrapSystemError(error, `unmounting layer "${id}" from ${paths.merged}`, 'IO', {
      object: id,
      path: paths.merged,
    });
  }
}

/** Other programs take `merged` away when they unmount, and a layer built by hand may lack `diff`. */
function prepareDirectories(paths: LayerPaths, lowers: readonly string[]): void {
  ensureDirectory(paths.merged, PRIVATE_MODE);
  ensureDirectory(paths.work, PRIVATE_MODE);
  if (!existsSync(paths.diff)) {
    const { mode } = statSync(lowers[0] as string);
    makeDirectory(paths.diff, { ...privateAttributes(), mode: mode & PERMISSIONS });
  }
  // Left by a volatile mount, even by one that ended cleanly; the kernel then refuses the work directory.
  removeTree(join(paths.work, 'work/incompat/volatile'));
}

/** Mounts of id-mapped lowers are only needed until the overlay is there; a program died in between. */
function detachMapped(directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return;
    throw error;
  }
  for (const name of names) {
    try {
      umount2(join(directory, name), MNT_DETACH | UMOUNT_NOFOLLOW);
    } catch (error) {
      if (errnoCode(error) !== 'EINVAL') throw error;
    }
  }
}

/**
 * Puts a fresh directory in the place of the former mount point. A rename replaces it even while another
 * mount namespace still has the layer mounted there, so that the path never is missing.
 */
function renewMountPoint({ dir, merged }: LayerPaths): void {
  const { uid, gid } = lstatSync(merged);
  const fresh = join(dir, 'merged.1');
  try {
    rmdirSync(fresh);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw error;
  }
  makeDirectory(fresh, { mode: PRIVATE_MODE, uid, gid });
  renameSync(fresh, merged);
}
