import type { Durability, OpenStoreOptions } from '@sediment/storage';
import { type Command, Option } from 'commander';
import { collect } from './newCommand.ts';

/** Options of every command: which store. */
export interface GlobalOptions {
  readonly root?: string;
  readonly runroot?: string;
  readonly storageDriver?: string;
  readonly storageOpt?: readonly string[];
  readonly config?: string;
  readonly durability?: Durability;
}

export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(new Option('--root <dir>', 'graph root: the directory of the store'))
    .addOption(new Option('--runroot <dir>', 'run root: the directory for state that ends with the host'))
    .addOption(new Option('--storage-driver <name>', 'how layers are stored: overlay or vfs'))
    .addOption(
      new Option(
        '--storage-opt <key=value>',
        'driver option, instead of those of storage.conf (repeatable)',
      ).argParser(collect),
    )
    .addOption(new Option('--config <file>', 'read this storage.conf and no other'))
    .addOption(
      new Option(
        '--durability <policy>',
        'what a crash of the host may cost: content of new layers, what was done last, nothing',
      ).choices(['none', 'ordered', 'full']),
    );
}

/** What the global options say about the store to be opened. */
export function storeOptions(options: GlobalOptions): OpenStoreOptions {
  const { root, runroot, storageDriver, storageOpt, config, durability } = options;
  return {
    ...(root === undefined ? {} : { graphRoot: root }),
    ...(runroot === undefined ? {} : { runRoot: runroot }),
    ...(storageDriver === undefined ? {} : { driver: storageDriver }),
    ...(storageOpt === undefined ? {} : { driverOptions: storageOpt }),
    ...(config === undefined ? {} : { configFile: config }),
    ...(durability === undefined ? {} : { durability }),
  };
}
