import { StorageError } from '@sediment/core';
import { type FoundImage, findImage } from '@sediment/image/names';
import type { Store } from '@sediment/storage';
import type { Command } from 'commander';
import { eachArgument } from '../commandLine/eachArgument.ts';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import type { Terminal } from '../output/terminal.ts';

interface RmiOptions {
  readonly force?: boolean;
}

export function rmiCommand(terminal: Terminal): Command {
  return newCommand('rmi', 'Remove images, or only a name of an image that has others', [
    ['sediment rmi localhost/app:1', 'removes the name, and the image with it if that was its last name'],
    ['sediment rmi --force 63d6a9f688a0', 'removes the image with all names, and its containers'],
  ])
    .argument('<image...>', 'names or ids of images')
    .option('-f, --force', 'remove containers that use an image, and all names of one given by its id')
    .action(async (images: string[], options: RmiOptions, command: Command) => {
      await withStore(command, terminal, async (store) => {
        await eachArgument(terminal, images, async (text) => {
          await removeImage(store, terminal, await findImage(store, text), options);
        });
      });
    });
}

async function removeImage(
  store: Store,
  terminal: Terminal,
  { image, name }: FoundImage,
  { force }: RmiOptions,
): Promise<void> {
  if (image.readOnly) throw notOurs(image.id);
  if (name !== undefined && image.names.length > 1) {
    await store.images.removeNames(image.id, [name]);
    terminal.print(`Untagged: ${name}\n`);
    terminal.remark(`Note: image ${image.id.slice(0, 12)} stays, it has other names`);
    return;
  }
  if (image.names.length > 1 && !force) throw severalNames(image.id, image.names);
  if (force) await removeContainersOf(store, terminal, image.id);
  await store.images.delete(image.id);
  for (const each of image.names) terminal.print(`Untagged: ${each}\n`);
  terminal.print(`Deleted: ${image.id}\n`);
}

async function removeContainersOf(store: Store, terminal: Terminal, imageId: string): Promise<void> {
  for (const { id, image } of await store.containers.list()) {
    if (image !== imageId) continue;
    await store.containers.delete(id);
    terminal.print(`Removed container: ${id}\n`);
  }
}

function notOurs(id: string): StorageError {
  return new StorageError('STORE_READ_ONLY', `image ${id} is in an additional store, which is only read`, {
    object: id,
    hint: 'remove it where it is, or take that store out of additionalimagestores',
  });
}

function severalNames(id: string, names: readonly string[]): StorageError {
  return new StorageError('IMAGE_HAS_NAMES', `image ${id} has several names: ${names.join(', ')}`, {
    object: id,
    hint: 'give the name that is to be removed, or remove the image with all its names by --force',
  });
}
