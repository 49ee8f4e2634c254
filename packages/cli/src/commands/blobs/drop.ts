import { findImage } from '@sediment/image/names';
import type { Command } from 'commander';
import { eachArgument } from '../../commandLine/eachArgument.ts';
import { newCommand } from '../../commandLine/newCommand.ts';
import { withStore } from '../../commandLine/withStore.ts';
import { formatBytes } from '../../output/bytes.ts';
import { shortId } from '../../output/shortId.ts';
import type { Terminal } from '../../output/terminal.ts';

export function blobsDropCommand(terminal: Terminal): Command {
  return newCommand(
    'drop',
    'Remove what is kept for images; the images stay, and exports rebuild their layers',
    [['sediment blobs drop localhost/app:1', 'frees the space of its blobs, but for those that others need']],
  )
    .argument('<image...>', 'names or ids of images')
    .action(async (images: string[], _options: unknown, command: Command) => {
      await withStore(command, terminal, async (store) => {
        await eachArgument(terminal, images, async (text) => {
          const { image } = await findImage(store, text);
          const { blobs, bytes } = await store.blobs.dropImage(image.id);
          const count = `${blobs} blob${blobs === 1 ? '' : 's'}`;
          terminal.print(`Dropped ${count} of ${shortId(image.id)} (${formatBytes(bytes)})\n`);
        });
      });
    });
}
