import { resolve } from 'node:path';
import type { OpenStoreOptions, Store } from '@sediment/storage';
import { CommandError } from '../errors/commandError.ts';
import type { GoLog } from '../output/goLog.ts';
import { choosesStore, type GlobalOptions } from './globalOptions.ts';

/**
 * Opens the store that the global flags select. The storage package is loaded here, so that help and
 * usage errors do without it.
 */
export async function openSelectedStore(global: GlobalOptions, log: GoLog): Promise<Store> {
  if (choosesStore(global) && global.graphRoot === '' && global.runRoot === '') {
    throw new CommandError('no storage runroot or graphroot specified: missing necessary StoreOptions');
  }
  const { openStore } = await import('@sediment/storage');
  return await openStore({
    ...storeOptions(global),
    onWarning: ({ message }) => log('warning', message),
  });
}

/** Once a flag chooses the store, nothing of it comes from the configuration but a root that is missing. */
function storeOptions(global: GlobalOptions): OpenStoreOptions {
  const { graphRoot, runRoot, driver, driverOptions, imageStore, transientStore } = global;
  const places = imageStore === '' ? {} : { imageStore: resolve(imageStore) };
  if (!choosesStore(global)) return { ...places, ...(transientStore ? { transientStore } : {}) };
  return {
    imageStore: '',
    ...places,
    ...(graphRoot === '' ? {} : { graphRoot: resolve(graphRoot) }),
    ...(runRoot === '' ? {} : { runRoot: resolve(runRoot) }),
    driver,
    driverOptions,
    transientStore,
  };
}
