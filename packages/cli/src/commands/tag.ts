import { findImage, normalizeLocalName } from '@sediment/image/names';
import type { NamesResult } from '@sediment/storage';
import type { Command } from 'commander';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import { reportTakenNames } from '../output/report.ts';
import type { Terminal } from '../output/terminal.ts';

export function tagCommand(terminal: Terminal): Command {
  return newCommand('tag', 'Give further names to an image; a short name becomes localhost/NAME:latest', [
    ['sediment tag localhost/app:1 app:stable', 'adds the name localhost/app:stable'],
  ])
    .argument('<image>', 'name or id of an image')
    .argument('<name...>', 'names to be added')
    .action(async (image: string, names: string[], _options: unknown, command: Command) => {
      const { taken } = await withStore(command, terminal, async (store): Promise<NamesResult> => {
        const complete = names.map(normalizeLocalName);
        const found = await findImage(store, image);
        return await store.images.addNames(found.image.id, complete);
      });
      reportTakenNames(terminal, taken);
    });
}
