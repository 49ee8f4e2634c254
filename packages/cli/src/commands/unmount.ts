import { isStorageError, StorageError } from '@sediment/core';
import type { Store } from '@sediment/storage';
import type { Command } from 'commander';
import { eachArgument } from '../commandLine/eachArgument.ts';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import type { Terminal } from '../output/terminal.ts';

interface UnmountOptions {
  readonly force?: boolean;
}

export function unmountCommand(terminal: Terminal): Command {
  return newCommand('unmount', 'Take back a mount of containers; the last one unmounts', [
    ['sediment unmount box', 'takes back what "sediment mount box" did'],
  ])
    .alias('umount')
    .argument('<container...>', 'names or ids of containers')
    .option('-f, --force', 'unmount even if other programs have mounted it too')
    .action(async (containers: string[], options: UnmountOptions, command: Command) => {
      await withStore(command, terminal, async (store) => {
        await eachArgument(terminal, containers, async (text) => {
          const stillMounted = await unmountContainer(store, text, options);
          terminal.print(`${text}\n`);
          if (stillMounted) terminal.remark(`Note: ${text} stays mounted, it was mounted more than once`);
        });
      });
    });
}

async function unmountContainer(store: Store, text: string, { force }: UnmountOptions): Promise<boolean> {
  const { id } = await store.containers.get(text);
  try {
    return await store.unmount(id, { force: force === true });
  } catch (error) {
    if (!isStorageError(error, 'LAYER_NOT_MOUNTED')) throw error;
    throw new StorageError('LAYER_NOT_MOUNTED', `container ${text} is not mounted`, {
      object: id,
      cause: error,
      hint: 'see what is mounted with "sediment mount"',
    });
  }
}
