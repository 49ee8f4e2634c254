import type { Blobs } from '@sediment/storage';
import type { Command } from 'commander';
import { eachArgument } from '../../commandLine/eachArgument.ts';
import { findBlob } from '../../commandLine/findBlob.ts';
import { newCommand } from '../../commandLine/newCommand.ts';
import { withStore } from '../../commandLine/withStore.ts';
import type { Terminal } from '../../output/terminal.ts';

export function blobsPinCommand(terminal: Terminal): Command {
  const command = newCommand('pin', 'Keep blobs whatever becomes of their images', [
    ['sediment blobs pin sha256:8a5e…', 'the blob stays when its image is removed'],
  ]);
  return changePins(command, terminal, { method: 'pin', word: 'Pinned' });
}

export function blobsUnpinCommand(terminal: Terminal): Command {
  const command = newCommand('unpin', 'Let blobs go when no image owns them any more', [
    ['sediment blobs unpin sha256:8a5e…', 'takes "pin" back'],
  ]);
  return changePins(command, terminal, { method: 'unpin', word: 'Unpinned' });
}

function changePins(
  command: Command,
  terminal: Terminal,
  { method, word }: { readonly method: 'pin' | 'unpin'; readonly word: string },
): Command {
  return command
    .argument('<digest...>', 'digests of blobs, or their beginnings')
    .action(async (digests: string[], _options: unknown, action: Command) => {
      await withStore(action, terminal, async ({ blobs }: { readonly blobs: Blobs }) => {
        await eachArgument(terminal, digests, async (text) => {
          const digest = await findBlob(blobs, text);
          await blobs[method](digest);
          terminal.print(`${word}: ${digest}\n`);
        });
      });
    });
}
