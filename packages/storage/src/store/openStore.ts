import { StorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
import { loadStorageConf, type StorageConf, unsupportedSettings } from '../conf/index.ts';
import { type Driver, type OpenDriverOptions, openDriver } from '../drivers/index.ts';
import { isIncomplete } from '../layers/layerInfo.ts';
import { announceHomeRelease } from '../layers/layerRemover.ts';
import { type LockBackendName, LockManager } from '../locks/index.ts';
import { containerFormat } from '../records/containerRecord.ts';
import { imageFormat } from '../records/imageRecord.ts';
import { layerFormat } from '../records/layerRecord.ts';
import { TempDirRoot } from '../staging/tempDirRoot.ts';
import { MountCounts } from '../tables/mountCounts.ts';
import { type NamedRecord, RecordTable, type RecordTableOptions } from '../tables/recordTable.ts';
import type { UnpackPool } from '../unpack/unpackPool.ts';
import { type ChosenAccess, chooseAccess } from './chooseAccess.ts';
import { makePrivateDirectory } from './makePrivateDirectory.ts';
import { Operations } from './operations.ts';
import { recoverStore } from './recoverStore.ts';
import { OpenStore, type Store } from './store.ts';
import type { AccessMode, StoreContext } from './storeContext.ts';
import { StorePaths } from './storePaths.ts';

/** How to open a store. What is not given comes from storage.conf, the environment or the defaults. */
export interface OpenStoreOptions {
  /** This file instead of the usual look-up. */
  readonly configFile?: string;
  readonly graphRoot?: string;
  readonly runRoot?: string;
  /** `overlay` or `vfs`. */
  readonly driver?: string;
  /** `key=value` or `driver.key=value`; replaces the driver options of storage.conf. */
  readonly driverOptions?: readonly string[];
  /** Environment to look variables up in; `process.env` if absent. */
  readonly env?: NodeJS.ProcessEnv;
  /** `shared` (default) or `snapshot`; see {@link AccessMode}. */
  readonly access?: AccessMode;
  /** Lock implementation; fcntl locks (which podman understands) wherever they work. */
  readonly lockBackend?: LockBackendName;
  /** Called for each thing that went on differently from what was asked; `process.emitWarning` if absent. */
  readonly onWarning?: WarningHandler;
}

/**
 * Opens the store that storage.conf and the options select, making it if it does not exist.
 *
 * @throws {StorageError} `CONFIG_INVALID`, `CONFIG_NOT_FOUND`, `GRAPHROOT_UNUSABLE`,
 *   `DRIVER_UNKNOWN`, `DRIVER_PREREQUISITES`, `DRIVER_OPTION_UNKNOWN`, `DRIVER_AMBIGUOUS`,
 *   `RECORD_INVALID`, `NOT_SUPPORTED`, `PERMISSION_DENIED`, `NO_SPACE`
 */
export async function openStore(options: OpenStoreOptions = {}): Promise<Store> {
  const onWarning = options.onWarning ?? emitWarning;
  const conf = await loadStorageConf({
    ...(options.configFile === undefined ? {} : { configFile: options.configFile }),
    ...(options.env === undefined ? {} : { env: options.env }),
    overrides: {
      ...(options.graphRoot === undefined ? {} : { graphRoot: options.graphRoot }),
      ...(options.runRoot === undefined ? {} : { runRoot: options.runRoot }),
      ...(options.driver === undefined ? {} : { driver: options.driver }),
      ...(options.driverOptions === undefined ? {} : { driverOptions: [...options.driverOptions] }),
    },
    onWarning,
  });
  refuseUnsupported(conf);
  const access = chooseAccess(conf, options, onWarning);
  // What is wrong with the request is found before anything is made; the warnings come from the real one.
  await openDriver(driverRequest(conf, { probe: false, onWarning: () => undefined }));
  if (access.mode === 'shared') makeRoots(conf);
  const { context, close } = await buildContext(conf, access, onWarning);
  try {
    if (access.mode === 'shared') await recoverStore(context);
    return new OpenStore(context, conf, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function emitWarning({ code, message }: { code: string; message: string }): void {
  process.emitWarning(message, { code, type: 'SedimentWarning' });
}

function refuseUnsupported(conf: StorageConf): void {
  const [first] = unsupportedSettings(conf);
  if (first === undefined) return;
  const source = conf.settings.find((setting) => setting.key === first.key)?.source ?? 'storage.conf';
  throw new StorageError('NOT_SUPPORTED', `${source}: ${first.key} = ${first.value}: ${first.reason}`, {
    object: first.key,
    path: source,
    hint: 'remove the setting, or use another storage.conf with --config',
  });
}

function makeRoots(conf: StorageConf): void {
  for (const [what, path] of [
    ['graph root', conf.graphRoot],
    ['run root', conf.runRoot],
  ] as const) {
    try {
      makePrivateDirectory(path);
    } catch (error) {
      throw wrapSystemError(error, `${what} ${path} cannot be made`, 'GRAPHROOT_UNUSABLE', {
        path,
        hint: `choose another ${what} with --${what === 'graph root' ? 'root' : 'runroot'} or in storage.conf`,
      });
    }
  }
}

async function buildContext(
  conf: StorageConf,
  access: ChosenAccess,
  onWarning: WarningHandler,
): Promise<{ context: StoreContext; close: () => Promise<void> }> {
  const locks = new LockManager({ backend: access.lockBackend, onWarning });
  const operations = new Operations(conf.graphRoot, access.refuseWrite);
  const driver = await openStoreDriver(conf, access, locks, onWarning);
  const paths = new StorePaths(conf.graphRoot, conf.runRoot, driver.name);
  const table = <R extends NamedRecord>(
    directory: string,
    kind: 'layer' | 'image' | 'container',
    rest: Pick<RecordTableOptions<R>, 'format' | 'hidden' | 'aliasOf'>,
  ) =>
    new RecordTable<R>({
      kind,
      files: tableFiles(directory, kind),
      lock: locks.lock(`${directory}/${kind}s.lock`, { rank: `${kind}s` }),
      paths,
      refuseWrite: access.refuseWrite,
      assertOpen: () => operations.assertNotClosed(),
      onWarning,
      ...rest,
    });
  let pool: Promise<UnpackPool> | undefined;
  const context: StoreContext = {
    access: access.mode,
    paths,
    driver,
    locks,
    storageLock: locks.lock(paths.storageLock, { rank: 'storage' }),
    layers: table(paths.layers, 'layer', { format: layerFormat, hidden: isIncomplete }),
    images: table(paths.images, 'image', { format: imageFormat }),
    containers: table(paths.containers, 'container', {
      format: containerFormat,
      aliasOf: (container) => container.layer,
    }),
    mountCounts: new MountCounts(
      paths.mountpoints,
      locks.lock(paths.mountpointsLock, { rank: 'mountpoints' }),
      access.mode === 'snapshot',
    ),
    contentTemp: new TempDirRoot(paths.contentTemp, { onWarning }),
    layerTemp: new TempDirRoot(paths.layerTemp, { onWarning }),
    onWarning,
    change: (operation) => operations.run(operation),
    unpackPool: () => {
      operations.assertNotClosing();
      pool ??= import('../unpack/unpackPool.ts').then(({ UnpackPool }) => new UnpackPool());
      return pool;
    },
  };
  const close = async () => {
    const first = await operations.close(async () => await (await pool)?.close());
    if (first && access.mode === 'shared') await closeDriver(context);
  };
  return { context, close };
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

function tableFiles(directory: string, kind: string) {
  return [
    { path: `${directory}/${kind}s.json`, volatile: false },
    ...(kind === 'image' ? [] : [{ path: `${directory}/volatile-${kind}s.json`, volatile: true }]),
  ];
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

function driverRequest(
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
      imageStores: [],
      onWarning,
    },
  };
}
