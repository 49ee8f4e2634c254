import { isStorageError } from '@sediment/core';
import type { ConfValue, StorageConf } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { CommandError } from '../errors/commandError.ts';
import { errorText } from '../errors/errorText.ts';
import { printJson, sortedMap } from '../output/json.ts';

export const configCommand: CommandDefinition = {
  names: ['config'],
  synopsis: '[configurationFile]',
  description: 'Print storage library configuration as JSON',
  minArgs: 0,
  maxArgs: 1,
  flags: [],
  run: async ({ streams, args: [configFile] }) => {
    printJson(streams, configJson(await loadConfiguration(configFile)));
    return SUCCESS;
  },
};

async function loadConfiguration(configFile: string | undefined): Promise<StorageConf> {
  const { loadStorageConf } = await import('@sediment/storage');
  const onWarning = () => undefined;
  if (configFile === undefined) return await loadStorageConf({ onWarning });
  try {
    return await loadStorageConf({ configFile, onWarning });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    throw new CommandError(`reload: ${errorText(error)}`);
  }
}

/** The settings under the names of the Go command; what nobody set is left out. */
export function configJson(conf: StorageConf): Record<string, unknown> {
  const fields: readonly (readonly [key: string, value: unknown])[] = [
    ['runroot', conf.runRoot],
    ['root', conf.graphRoot],
    ['imagestore', conf.imageStore],
    ['driver', conf.driver],
    ['driver-priority', conf.driverPriority],
    ['driver-options', conf.driverOptions],
    ['root_auto_ns_user', setting(conf, 'storage.options.root-auto-userns-user')],
    ['auto_userns_min_size', setting(conf, 'storage.options.auto-userns-min-size')],
    ['auto_userns_max_size', setting(conf, 'storage.options.auto-userns-max-size')],
  ];
  const pullOptions = sortedMap(conf.pullOptions);
  return {
    ...Object.fromEntries(fields.filter(([, value]) => !isUnset(value))),
    PullOptions: pullOptions.size === 0 ? null : pullOptions,
    ...(conf.disableVolatile ? { 'disable-volatile': true } : {}),
    ...(conf.transientStore ? { transient_store: true } : {}),
  };
}

function setting(conf: StorageConf, key: string): ConfValue | undefined {
  return conf.settings.find((candidate) => candidate.key === key)?.value;
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === '' || value === 0 || (Array.isArray(value) && value.length === 0);
}
