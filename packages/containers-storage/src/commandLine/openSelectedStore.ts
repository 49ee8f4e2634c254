import { resolve } from 'node:path';
import { describeErrorCode } from '@sediment/core';
import type { OpenStoreOptions, Store } from '@sediment/storage';
import { CommandError } from '../errors/commandError.ts';
import { inWords } from '../errors/inWords.ts';
import type { GoLog } from '../output/goLog.ts';
import { choosesStore, configuredOptions, type GlobalOptions } from './globalOptions.ts';

/**
 * Opens the store that the global flags select. The storage package is loaded here, so that help and
 * usage errors do without it.
 */
export async function openSelectedStore(global: GlobalOptions, log: GoLog): Promise<Store> {
  if (choosesStore(global) && global.graphRoot === '' && global.runRoot === '') {
    throw new CommandError('no storage runroot or graphroot specified: missing necessary StoreOptions');
  }
  const unreadable = global.driverOptions.find((option) => !option.includes('='));
  if (unreadable !== undefined) throw new CommandError(`unable to parse key/value option: ${unreadable}`);
  const { openStore } = await import('@sediment/storage');
  return await inWords(
    {
      DRIVER_OPTION_UNKNOWN: async ({ facts }) => await unknownOption(global, facts.object ?? ''),
      DRIVER_UNKNOWN: ({ code, facts }) => {
        const what = `to GetDriver graph ${facts.object} ${facts.path}`;
        log('error', `Failed ${what}`);
        return `failed ${what}: ${describeErrorCode(code)}`;
      },
    },
    async () =>
      await openStore({ ...storeOptions(global), onWarning: ({ message }) => log('warning', message) }),
  );
}

/** Each driver has words of its own for an option that it does not know. */
async function unknownOption(global: GlobalOptions, option: string): Promise<string> {
  const { driver } = await configuredOptions(global);
  const key = option.split('=', 1)[0]?.trim().toLowerCase() ?? '';
  return driver === 'vfs' ? `vfs driver does not support ${key} options` : `overlay: Unknown option ${key}`;
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
