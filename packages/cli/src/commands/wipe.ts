import type { Command } from 'commander';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import type { Terminal } from '../output/terminal.ts';

export function wipeCommand(terminal: Terminal): Command {
  return newCommand('wipe', 'Remove all containers, images and layers', [
    ['sediment --root /srv/scratch --runroot /run/scratch wipe --force', 'empties that store'],
  ])
    .requiredOption('--force', 'say that this is meant: containers are unmounted, and nothing is asked')
    .action(async (_options: unknown, command: Command) => {
      await withStore(command, terminal, (store) => store.wipe());
    });
}
