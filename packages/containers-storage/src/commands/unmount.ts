import { isStorageError } from '@sediment/core';
import type { Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { booleanFlag, JSON_FLAG } from '../commandLine/flag.ts';
import { eachMount } from './eachMount.ts';

export const unmountCommand: CommandDefinition = {
  names: ['unmount', 'umount'],
  synopsis: 'LayerOrContainerNameOrID',
  description: 'Unmount an image, layer or container',
  minArgs: 1,
  maxArgs: undefined,
  flags: [booleanFlag(['--force', '-f'], 'Force the umount'), JSON_FLAG],
  run: async (context) => {
    const force = context.flags.boolean('--force');
    return await eachMount(
      context,
      (error, arg) => `${error} while unmounting ${arg}`,
      async (arg) => {
        const ended = await unmount(context.store, arg, force);
        if (ended) context.streams.out(`${arg} mountpoint unmounted\n`);
      },
    );
  },
};

/** Whether a layer or container is not mounted any longer; of an image nothing is said. */
async function unmount(store: Store, arg: string, force: boolean): Promise<boolean> {
  try {
    return !(await store.unmount(arg, { force }));
  } catch (error) {
    if (isStorageError(error, 'LAYER_NOT_MOUNTED')) return true;
    if (await unmountImage(store, arg, force)) return false;
    throw error;
  }
}

/** False when there is no such image, or when it cannot be unmounted: then the first error counts. */
async function unmountImage(store: Store, arg: string, force: boolean): Promise<boolean> {
  try {
    await store.unmountImage(arg, { force });
    return true;
  } catch (error) {
    if (isStorageError(error, 'LAYER_NOT_MOUNTED')) return true;
    if (isStorageError(error)) return false;
    throw error;
  }
}
