import type { StorageError, WarningHandler } from '@sediment/core';
import type { Disk } from '../durability/disk.ts';
import { isIncomplete } from '../layers/layerInfo.ts';
import type { LockManager } from '../locks/index.ts';
import { containerFormat } from '../records/containerRecord.ts';
import { imageFormat } from '../records/imageRecord.ts';
import { layerFormat } from '../records/layerRecord.ts';
import { RecordFiles, type TableFile } from '../tables/recordFiles.ts';
import { RecordTable } from '../tables/recordTable.ts';
import type { StoreContext } from './storeContext.ts';
import { StorePaths } from './storePaths.ts';

export interface OpenTablesRequest {
  readonly locks: LockManager;
  readonly disk: Disk;
  readonly paths: StorePaths;
  /** Roots of the stores that are only read. */
  readonly additionalStores: readonly string[];
  readonly refuseWrite: ((path: string) => StorageError) | undefined;
  readonly assertOpen: () => void;
  readonly onWarning: WarningHandler;
}

/** The tables of layers, images and containers. Nothing is read yet. */
export function openTables(
  request: OpenTablesRequest,
): Pick<StoreContext, 'layers' | 'images' | 'containers'> {
  const { paths, additionalStores, refuseWrite, assertOpen } = request;
  const { runRoot, driver, graphRoot, imageStore } = paths;
  const elsewhere = additionalStores.map((root) => new StorePaths(root, runRoot, driver));
  const rest = { refuseWrite, assertOpen };
  return {
    layers: new RecordTable({
      own: layerFiles(request),
      additional: elsewhere.map((place) => additionalLayers(request, place)),
      ...rest,
    }),
    images: new RecordTable({
      own: imageFiles(request, paths, false),
      second:
        imageStore === undefined
          ? undefined
          : imageFiles(request, new StorePaths(graphRoot, runRoot, driver), false),
      additional: elsewhere.map((place) => imageFiles(request, place, true)),
      ...rest,
    }),
    containers: new RecordTable({ own: containerFiles(request), ...rest }),
  };
}

/** The records of image layers have a file and a lock of their own where images have a place of their own. */
function layerFiles({ locks, disk, paths, onWarning }: OpenTablesRequest) {
  const lock = locks.lock(paths.layersLock, { rank: 'layers' });
  const main: TableFile = { path: `${paths.layers}/layers.json`, role: 'main', lock };
  const volatile: TableFile = {
    path: `${paths.volatileLayers}/volatile-layers.json`,
    role: 'volatile',
    lock,
  };
  const options = { ...LAYERS, disk, paths, onWarning };
  if (paths.imageStore === undefined) {
    return new RecordFiles({ ...options, files: [main, volatile], locks: [lock] });
  }
  const imageLock = locks.lock(`${paths.imageLayers}/layers.lock`, { rank: 'layers' });
  const images: TableFile = {
    path: `${paths.imageLayers}/layers.json`,
    role: 'images',
    lock: imageLock,
  };
  return new RecordFiles({ ...options, files: [main, images, volatile], locks: [lock, imageLock] });
}

const LAYERS = { kind: 'layer', format: layerFormat, hidden: isIncomplete } as const;

function additionalLayers({ locks, disk, onWarning }: OpenTablesRequest, paths: StorePaths) {
  const lock = locks.lock(paths.layersLock, { rank: 'layers', readOnly: true });
  return new RecordFiles({
    ...LAYERS,
    files: [
      { path: `${paths.layers}/layers.json`, role: 'main', lock },
      { path: `${paths.layers}/volatile-layers.json`, role: 'volatile', lock },
    ],
    locks: [lock],
    disk,
    paths,
    onWarning,
  });
}

function imageFiles({ locks, disk, onWarning }: OpenTablesRequest, paths: StorePaths, readOnly: boolean) {
  const lock = locks.lock(`${paths.images}/images.lock`, { rank: 'images', readOnly });
  return new RecordFiles({
    kind: 'image',
    format: imageFormat,
    files: [{ path: `${paths.images}/images.json`, role: 'main', lock }],
    locks: [lock],
    disk,
    paths,
    onWarning,
  });
}

/**
 * Upstream locks the containers of a transient store in the run root alone. The records in the graph root
 * belong to those who use the store as an ordinary one; their lock is taken, too, so that both can do so at
 * once.
 */
function containerFiles({ locks, disk, paths, onWarning }: OpenTablesRequest) {
  const lock = locks.lock(`${paths.containers}/containers.lock`, { rank: 'containers' });
  const volatileLock = paths.transient
    ? locks.lock(`${paths.volatileContainers}/containers.lock`, { rank: 'containers' })
    : lock;
  return new RecordFiles({
    kind: 'container',
    format: containerFormat,
    aliasOf: (container) => container.layer,
    files: [
      { path: `${paths.containers}/containers.json`, role: 'main', lock },
      {
        path: `${paths.volatileContainers}/volatile-containers.json`,
        role: 'volatile',
        lock: volatileLock,
      },
    ],
    locks: paths.transient ? [lock, volatileLock] : [lock],
    disk,
    paths,
    onWarning,
  });
}
