import type { WarningHandler } from '@sediment/core';
import type { KeptBlobs } from '../blobs/keptBlobs.ts';
import type { StorageConf } from '../conf/index.ts';
import { type Driver, type OpenDriverOptions, openDriver } from '../drivers/index.ts';
import { chooseDurability } from '../durability/chooseDurability.ts';
import { Disk } from '../durability/disk.ts';
import type { Durability } from '../durability/durability.ts';
import { announceHomeRelease } from '../layers/layerRemover.ts';
import { LockManager } from '../locks/index.ts';
import { TempDirRoot } from '../staging/tempDirRoot.ts';
import { MountCounts } from '../tables/mountCounts.ts';
import { LazyUnpackPool } from '../unpack/lazyUnpackPool.ts';
import { additionalStoresOf } from './additionalStores.ts';
import type { ChosenAccess } from './chooseAccess.ts';
import { openTables } from './openTables.ts';
import { Operations } from './operations.ts';
import type { StoreContext } from './storeContext.ts';
import { StorePaths } from './storePaths.ts';

export interface BuiltContext {
  readonly context: StoreContext;
  /** Waits for what is running, ends the workers and gives back what the driver needed. */
  readonly close: () => Promise<void>;
}

export interface BuildOptions {
  readonly access: ChosenAccess;
  /** What the caller asked for. */
  readonly durability: Durability | undefined;
  /** Start the threads that unpack layers meanwhile. */
  readonly unpackSoon: boolean;
  readonly onWarning: WarningHandler;
}

/** Opens the driver and puts together what the parts of a store share. */
export async function buildContext(conf: StorageConf, options: BuildOptions): Promise<BuiltContext> {
  const pool = new LazyUnpackPool();
  if (options.unpackSoon) pool.prepare();
  try {
    return await build(conf, options, pool);
  } catch (error) {
    await pool.close();
    throw error;
  }
}

async function build(
  conf: StorageConf,
  { access, durability, onWarning }: BuildOptions,
  pool: LazyUnpackPool,
): Promise<BuiltContext> {
  const locks = new LockManager({ backend: access.lockBackend, onWarning });
  const operations = new Operations(conf.graphRoot, access.refuseWrite);
  const driver = await openStoreDriver(conf, access, locks, onWarning);
  const paths = new StorePaths(conf.graphRoot, conf.runRoot, driver.name, {
    imageStore: conf.imageStore,
    transient: conf.transientStore,
  });
  const disk = new Disk({
    ...chooseDurability({ option: durability, conf, driver: driver.name }),
    split: conf.imageStore !== undefined,
  });
  let kept: Promise<KeptBlobs> | undefined;
  const context: StoreContext = {
    access: access.mode,
    paths,
    driver,
    disk,
    locks,
    storageLock: locks.lock(paths.storageLock, { rank: 'storage' }),
    ...openTables({
      locks,
      disk,
      paths,
      additionalStores: additionalStoresOf(conf, driver.name, onWarning),
      refuseWrite: access.refuseWrite,
      assertOpen: () => operations.assertNotClosed(),
      onWarning,
    }),
    mountCounts: new MountCounts(
      paths.mountpoints,
      locks.lock(paths.mountpointsLock, { rank: 'mountpoints' }),
      access.mode === 'snapshot',
    ),
    ...stagingRoots(paths, onWarning),
    autoUserns: conf.autoUserns,
    pullOptions: conf.pullOptions,
    onWarning,
    closing: operations.closing,
    change: (operation) => operations.run(operation),
    unpackPool: () => {
      operations.assertNotClosing();
      return pool.get();
    },
    keptBlobs: () => {
      operations.assertNotClosed();
      kept ??= import('../blobs/keptBlobs.ts').then(({ KeptBlobs }) => new KeptBlobs(context));
      return kept;
    },
  };
  const close = async () => {
    const first = await operations.close(() => pool.close());
    if (first) (await kept)?.close();
    if (first && access.mode === 'shared') await closeDriver(context);
  };
  return { context, close };
}

function stagingRoots(
  paths: StorePaths,
  onWarning: WarningHandler,
): Pick<StoreContext, 'contentTemp' | 'imageContentTemp' | 'layerTemp' | 'blobTemp'> {
  const contentTemp = new TempDirRoot(paths.contentTemp, { onWarning });
  return {
    contentTemp,
    imageContentTemp:
      paths.imageStore === undefined ? contentTemp : new TempDirRoot(paths.imageContentTemp, { onWarning }),
    layerTemp: new TempDirRoot(paths.layerTemp, { onWarning }),
    blobTemp: new TempDirRoot(paths.spool, { onWarning }),
  };
}

/**
 * The driver may have a mount of its home to give back, for which it needs the layers lock. If that is
 * not free, whoever comes next does it.
 */
async function closeDriver(context: StoreContext): Promise<void> {
  const { driver, locks, paths } = context;
  const releases = driver.homeReleases;
  if (driver.holdsHome) {
    await locks.lock(paths.layersLock, { rank: 'layers' }).tryWrite(() => driver.close());
  }
  await announceHomeRelease(context, releases);
}

/** The driver is opened under the storage lock: two programs must not make its home at once. */
async function openStoreDriver(
  conf: StorageConf,
  access: ChosenAccess,
  locks: LockManager,
  onWarning: WarningHandler,
): Promise<Driver> {
  const open = async () =>
    await openDriver(driverRequest(conf, { probe: access.mode === 'shared', onWarning }));
  if (access.mode === 'snapshot') return await open();
  const paths = new StorePaths(conf.graphRoot, conf.runRoot, conf.driver ?? '');
  return await locks.lock(paths.storageLock, { rank: 'storage' }).withWrite(open);
}

/** What opening the driver of a configuration takes. */
export function driverRequest(
  conf: StorageConf,
  { probe, onWarning }: { readonly probe: boolean; readonly onWarning: WarningHandler },
): OpenDriverOptions {
  return {
    name: conf.driver,
    priority: conf.driverPriority,
    probe,
    context: {
      graphRoot: conf.graphRoot,
      runRoot: conf.runRoot,
      options: conf.driverOptions,
      imageStores: additionalStoresOf(conf, conf.driver ?? 'overlay', () => undefined),
      ...(conf.imageStore === undefined ? {} : { imageStore: conf.imageStore }),
      onWarning,
    },
  };
}
