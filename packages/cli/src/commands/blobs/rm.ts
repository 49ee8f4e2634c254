import type { Command } from 'commander';
import { eachArgument } from '../../commandLine/eachArgument.ts';
import { findBlob } from '../../commandLine/findBlob.ts';
import { newCommand } from '../../commandLine/newCommand.ts';
import { withStore } from '../../commandLine/withStore.ts';
import type { Terminal } from '../../output/terminal.ts';

export function blobsRmCommand(terminal: Terminal): Command {
  return newCommand('rm', 'Remove kept blobs that neither an image owns nor a pin keeps', [
    ['sediment blobs rm sha256:8a5e…', 'a blob that was put'],
  ])
    .argument('<digest...>', 'digests of blobs, or their beginnings')
    .action(async (digests: string[], _options: unknown, command: Command) => {
      await withStore(command, terminal, async ({ blobs }) => {
        await eachArgument(terminal, digests, async (text) => {
          const digest = await findBlob(blobs, text);
          await blobs.delete(digest);
          terminal.print(`Deleted: ${digest}\n`);
        });
      });
    });
}
