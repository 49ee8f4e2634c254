import { StorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
import { loadStorageConf, type StorageConf, unsupportedSettings } from '../conf/index.ts';
import { openDriver } from '../drivers/index.ts';
import { checkDurability, type Durability } from '../durability/durability.ts';
import type { LockBackendName } from '../locks/index.ts';
import { buildContext, driverRequest } from './buildContext.ts';
import { chooseAccess } from './chooseAccess.ts';
import { makePrivateDirectory } from './makePrivateDirectory.ts';
import { recoverStore } from './recoverStore.ts';
import { OpenStore, type Store } from './store.ts';
import type { AccessMode } from './storeContext.ts';

/** How to open a store. What is not given comes from storage.conf, the environment or the defaults. */
export interface OpenStoreOptions {
  /** This file instead of the usual look-up. */
  readonly configFile?: string;
  readonly graphRoot?: string;
  readonly runRoot?: string;
  /** `overlay` or `vfs`. */
  readonly driver?: string;
  /** Root of its own for images and their layers; containers stay in the graph root. Empty: none at all. */
  readonly imageStore?: string;
  /** Keep the records of containers in the run root, so that they end with the next boot. */
  readonly transientStore?: boolean;
  /** `key=value` or `driver.key=value`; replaces the driver options of storage.conf. */
  readonly driverOptions?: readonly string[];
  /**
   * What a crash of the host may cost; see {@link Durability}. By the driver option `sync` if absent, and `ordered` if
   * that is absent, too.
   */
  readonly durability?: Durability;
  /** Environment to look variables up in; `process.env` if absent. */
  readonly env?: NodeJS.ProcessEnv;
  /** `shared` (default) or `snapshot`; see {@link AccessMode}. */
  readonly access?: AccessMode;
  /** Lock implementation; fcntl locks (which podman understands) wherever they work. */
  readonly lockBackend?: LockBackendName;
  /**
   * Start the threads that unpack layers while the store is being opened: for programs that are about to import. They
   * need a tenth of a second, and some megabytes of memory even if nothing is unpacked. Not with `snapshot`.
   */
  readonly unpackSoon?: boolean;
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
  const durability = options.durability === undefined ? undefined : checkDurability(options.durability);
  const conf = await loadStorageConf({
    ...(options.configFile === undefined ? {} : { configFile: options.configFile }),
    ...(options.env === undefined ? {} : { env: options.env }),
    overrides: {
      ...(options.graphRoot === undefined ? {} : { graphRoot: options.graphRoot }),
      ...(options.runRoot === undefined ? {} : { runRoot: options.runRoot }),
      ...(options.driver === undefined ? {} : { driver: options.driver }),
      ...(options.imageStore === undefined ? {} : { imageStore: options.imageStore }),
      ...(options.transientStore === undefined ? {} : { transientStore: options.transientStore }),
      ...(options.driverOptions === undefined ? {} : { driverOptions: [...options.driverOptions] }),
    },
    onWarning,
  });
  refuseUnsupported(conf);
  const access = chooseAccess(conf, options, onWarning);
  // What is wrong with the request is found before anything is made; the warnings come from the real one.
  await openDriver(driverRequest(conf, { probe: false, onWarning: () => undefined }));
  if (access.mode === 'shared') makeRoots(conf);
  const unpackSoon = options.unpackSoon === true && access.mode === 'shared';
  const { context, close } = await buildContext(conf, { access, durability, unpackSoon, onWarning });
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
  for (const [what, path, option] of [
    ['graph root', conf.graphRoot, '--root'],
    ['run root', conf.runRoot, '--runroot'],
    ['image store', conf.imageStore, '--imagestore'],
  ] as const) {
    if (path === undefined) continue;
    try {
      makePrivateDirectory(path);
    } catch (error) {
      throw wrapSystemError(error, `${what} ${path} cannot be made`, 'GRAPHROOT_UNUSABLE', {
        path,
        hint: `choose another ${what} with ${option} or in storage.conf`,
      });
    }
  }
}
