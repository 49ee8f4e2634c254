import type { Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';

/** Prints a directory for whoever keeps files with an object; it exists afterwards. */
function directoryCommand(
  kind: 'container' | 'image',
  what: 'data' | 'runtime',
  find: (store: Store, idOrName: string) => Promise<string>,
): CommandDefinition {
  const run = what === 'data' ? '' : 'run';
  return {
    names: [`get-${kind}-${run === '' ? '' : 'run-'}dir`, `get${kind}${run}dir`],
    synopsis: `[options [...]] ${kind}NameOrID`,
    description: `Find the ${kind}'s associated ${what} directory`,
    minArgs: 1,
    maxArgs: 1,
    flags: [],
    run: async ({ store, streams, args: [object = ''] }) => {
      streams.out(`${await find(store, object)}\n`);
      return SUCCESS;
    },
  };
}

export const getContainerDirCommand = directoryCommand(
  'container',
  'data',
  async (store, object) => await store.containers.directory(object),
);

export const getContainerRunDirCommand = directoryCommand(
  'container',
  'runtime',
  async (store, object) => await store.containers.runDirectory(object),
);

export const getImageDirCommand = directoryCommand(
  'image',
  'data',
  async (store, object) => await store.images.directory(object),
);

export const getImageRunDirCommand = directoryCommand(
  'image',
  'runtime',
  async (store, object) => await store.images.runDirectory(object),
);
