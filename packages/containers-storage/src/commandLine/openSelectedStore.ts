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

/** Whatever is chosen, the driver and its options are then not those of the configuration. */
function storeOptions(global: GlobalOptions): OpenStoreOptions {
  if (!choosesStore(global)) return {};
  const { graphRoot, runRoot, driver, driverOptions } = global;
  return {
    ...(graphRoot === '' ? {} : { graphRoot: resolve(graphRoot) }),
    ...(runRoot === '' ? {} : { runRoot: resolve(runRoot) }),
    driver,
    driverOptions,
  };
}
