import { StorageError } from '@sediment/core';
import { completions, findImage } from '@sediment/image/names';
import type { ImageInfo } from '@sediment/storage';
import type { Command } from 'commander';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import type { Terminal } from '../output/terminal.ts';

export function untagCommand(terminal: Terminal): Command {
  return newCommand('untag', 'Take names from an image, or all of them; the image stays', [
    ['sediment untag localhost/app:1 app:stable', 'removes the name localhost/app:stable'],
    ['sediment untag localhost/app:1', 'removes all names of the image'],
  ])
    .argument('<image>', 'name or id of an image')
    .argument('[name...]', 'names to be removed')
    .action(async (text: string, names: string[], _options: unknown, command: Command) => {
      await withStore(command, terminal, async (store) => {
        const { image } = await findImage(store, text);
        const doomed = names.length === 0 ? image.names : names.map((name) => ownName(image, name));
        await store.images.removeNames(image.id, doomed);
        for (const name of doomed) terminal.print(`Untagged: ${name}\n`);
      });
    });
}

/** The name of the image that is meant. @throws {StorageError} `NAME_UNKNOWN` */
function ownName(image: ImageInfo, text: string): string {
  const candidates = [text, ...(image.names.includes(text) ? [] : completions(text))];
  const name = candidates.find((each) => image.names.includes(each));
  if (name !== undefined) return name;
  throw new StorageError('NAME_UNKNOWN', `${text}: image ${image.id} has no such name`, {
    object: text,
    hint: image.names.length === 0 ? 'it has no names at all' : `its names are ${image.names.join(', ')}`,
  });
}
