import { chownSync, existsSync, lstatSync, readdirSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errnoCode, type WarningHandler, wrapSystemError } from '@sediment/core';
import { MNT_DETACH, UMOUNT_NOFOLLOW, umount2 } from '@sediment/posix';
import type { IdMappings, Owner } from '../../idmaps/idMappings.ts';
import { removeTree } from '../../staging/removeTree.ts';
import { type DirectoryAttributes, ensureDirectory, makeDirectory } from '../exactModes.ts';
import { layerOwner } from '../layerOwner.ts';
import { checkDepth, type LowerDirectory, lowerDirectories, lowerPath } from './lowerDirectories.ts';
import { detachMapped, withMappedLowers } from './mappedLowers.ts';
import { isOverlayMounted } from './mountedPath.ts';
import { mountOverlay } from './mountOverlay.ts';
import type { LayerPaths } from './overlayHome.ts';
import type { OverlayHomes, OverlayLayer } from './overlayLayer.ts';

export interface LayerMountRequest {
  readonly layer: OverlayLayer;
  /** Where its directories are, and where it is mounted. */
  readonly paths: LayerPaths;
  /** Complete: flags, file-system options, `ro`. */
  readonly options: readonly string[];
  readonly mountLabel?: string | undefined;
  /** Ids under which the layers below appear; the layer's own content has them already. */
  readonly idMaps?: IdMappings | undefined;
  readonly onWarning: WarningHandler;
}

const PRIVATE_MODE = 0o700;
const PERMISSIONS = 0o777;

/** Mounts a layer on its `merged` directory with all that lies below it. */
export function mountLayer(homes: OverlayHomes, request: LayerMountRequest): void {
  const { layer, paths, idMaps } = request;
  const readOnly = request.options.includes('ro');
  try {
    const lowers = lowerDirectories(homes, layer, request.onWarning);
    checkDepth(layer.id, readOnly ? [paths.diff, ...lowers] : lowers);
    prepareDirectories(request, lowers, readOnly);
    if (idMaps === undefined || idMaps.isEmpty) {
      mountOn(request, lowers.map(lowerPath), readOnly);
      return;
    }
    if (!readOnly) giveToRoot(paths.diff, idMaps);
    withMappedLowers(lowers, { idMaps, directory: paths.mapped }, (mapped) =>
      mountOn(request, mapped, readOnly),
    );
  } catch (error) {
    throw wrapSystemError(error, `mounting layer "${layer.id}" on ${paths.merged}`, 'MOUNT_FAILED', {
      object: layer.id,
      path: paths.merged,
      hint: 'the kernel log (dmesg) may say more',
    });
  }
}

function mountOn(
  { layer, paths, options, mountLabel }: LayerMountRequest,
  lowers: readonly string[],
  readOnly: boolean,
): void {
  const layers = readOnly
    ? { lowers: [paths.diff, ...lowers] }
    : { lowers, upper: { diff: paths.diff, work: paths.work } };
  mountOverlay({ ...layers, options, mountLabel, target: paths.merged, base: layer.home.path });
}

/** Unmounts a layer and leaves an empty mount point in its home, none elsewhere. Not being mounted is fine. */
export function unmountLayer(homes: OverlayHomes, layer: OverlayLayer): void {
  const paths = homes.pathsOf(layer);
  try {
    if (layer.place !== 'additional') detachLeftOver(paths.mapped);
    if (!isOverlayMounted(paths.merged)) return;
    do umount2(paths.merged, MNT_DETACH | UMOUNT_NOFOLLOW);
    while (isOverlayMounted(paths.merged));
    if (layer.place === 'own') renewMountPoint(paths);
    else removeMountPoint(paths.merged);
  } catch (error) {
    throw wrapSystemError(error, `unmounting layer "${layer.id}" from ${paths.merged}`, 'IO', {
      object: layer.id,
      path: paths.merged,
    });
  }
}

/** Other programs take `merged` away when they unmount, and a layer built by hand may lack `diff`. */
function prepareDirectories(
  { paths, layer, idMaps }: LayerMountRequest,
  lowers: readonly LowerDirectory[],
  readOnly: boolean,
): void {
  const owner = layerOwner(idMaps);
  if (layer.place !== 'own') ensureDirectory(dirname(paths.merged), PRIVATE_MODE);
  ensureOwned(paths.merged, owner);
  if (layer.place === 'additional') return;
  if (!existsSync(paths.diff)) {
    const { mode } = statSync(lowerPath(lowers[0] as LowerDirectory));
    makeDirectory(paths.diff, { ...owner, mode: mode & PERMISSIONS });
  }
  if (readOnly) return;
  ensureOwned(paths.work, owner);
  // Left by a volatile mount, even by one that ended cleanly; the kernel then refuses the work directory.
  removeTree(join(paths.work, 'work/incompat/volatile'));
}

function ensureOwned(path: string, owner: Owner): void {
  const attributes: DirectoryAttributes = { ...owner, mode: PRIVATE_MODE };
  try {
    makeDirectory(path, attributes);
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
  }
}

/**
 * The root of a container is that of its own layer. As long as its owner is nobody inside, it was made for a
 * container without maps, or by a program that leaves it so.
 */
function giveToRoot(diff: string, idMaps: IdMappings): void {
  if (idMaps.findContainer(lstatSync(diff)) !== undefined) return;
  const { uid, gid } = idMaps.rootPair();
  chownSync(diff, uid, gid);
}

/** Mounts of id-mapped homes are only needed until the overlay is there; a program died in between. */
function detachLeftOver(directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return;
    throw error;
  }
  detachMapped(
    directory,
    names.map((name) => join(directory, name)),
  );
}

/**
 * Puts a fresh directory in the place of the former mount point. A rename replaces it even while another
 * mount namespace still has the layer mounted there, so that the path never is missing.
 */
function renewMountPoint({ dir, merged }: LayerPaths): void {
  const { uid, gid } = lstatSync(merged);
  const fresh = join(dir, 'merged.1');
  removeEmpty(fresh);
  makeDirectory(fresh, { mode: PRIVATE_MODE, uid, gid });
  renameSync(fresh, merged);
}

/** `<run root>/overlay/<id>/merged`: nothing stays there. */
function removeMountPoint(merged: string): void {
  removeEmpty(merged);
  removeEmpty(dirname(merged));
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw error;
  }
}
