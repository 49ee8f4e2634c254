import { StorageError } from '@sediment/core';
import { findImage } from '@sediment/image/names';
import type { Command } from 'commander';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import type { Terminal } from '../output/terminal.ts';

export function createCommand(terminal: Terminal): Command {
  return newCommand('create', 'Make a container of an image: a writable layer on top of it; prints its id', [
    ['sediment create --name box localhost/app:1', 'a container called box'],
  ])
    .argument('<image>', 'name or id of an image')
    .option('--name <name>', 'name of the container')
    .action(async (image: string, options: { readonly name?: string }, command: Command) => {
      const names = options.name === undefined ? [] : [checkContainerName(options.name)];
      const { id } = await withStore(command, terminal, async (store) => {
        const found = await findImage(store, image);
        return await store.containers.create({ image: found.image.id, names });
      });
      terminal.print(`${id}\n`);
    });
}

/** The names that podman and docker take: others could not be used with them. */
function checkContainerName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name)) return name;
  throw new StorageError('NAME_INVALID', `invalid container name ${JSON.stringify(name)}`, {
    object: name,
    hint: 'use letters, digits, "_", "." and "-", and begin with a letter or digit',
  });
}
