import { StorageError } from '@sediment/core';
import type { ContainerInfo, Store } from '@sediment/storage';
import type { Command } from 'commander';
import { eachArgument } from '../commandLine/eachArgument.ts';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import type { Terminal } from '../output/terminal.ts';

interface RmOptions {
  readonly force?: boolean;
}

export function rmCommand(terminal: Terminal): Command {
  return newCommand('rm', 'Remove containers and their layers', [
    ['sediment rm box', 'removes the container box'],
  ])
    .argument('<container...>', 'names or ids of containers')
    .option('-f, --force', 'remove a mounted container of another program too: it may be running')
    .action(async (containers: string[], options: RmOptions, command: Command) => {
      await withStore(command, terminal, async (store) => {
        await eachArgument(terminal, containers, async (text) => {
          const { metadata } = await removeContainer(store, text, options);
          terminal.print(`${text}\n`);
          if (metadata !== undefined) terminal.remark(`Note: ${foreign(text)}`);
        });
      });
    });
}

/**
 * The store unmounts what it deletes. A mounted container of another program may be running, and would
 * lose its file system: that takes a second thought. Engines mark their containers with metadata.
 */
async function removeContainer(store: Store, text: string, { force }: RmOptions): Promise<ContainerInfo> {
  const container = await store.containers.get(text);
  const { id, layer, metadata } = container;
  const mount = (await store.mounts()).find((each) => each.layer === layer);
  if (mount !== undefined && metadata !== undefined && !force) {
    throw new StorageError('CONTAINER_MOUNTED', `container ${text} is mounted at ${mount.path}`, {
      object: id,
      path: mount.path,
      hint: 'remove it with the program that made it, or with --force if nothing runs in it',
    });
  }
  await store.containers.delete(id);
  return container;
}

/** podman keeps a list of its own besides the store. */
function foreign(text: string): string {
  return `${text} was made by another program, which may still list it: remove it there too`;
}
