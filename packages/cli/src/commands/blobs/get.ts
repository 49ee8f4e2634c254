import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errnoCode } from '@sediment/core';
import type { Command } from 'commander';
import { findBlob } from '../../commandLine/findBlob.ts';
import { newCommand } from '../../commandLine/newCommand.ts';
import { refuseTerminalOutput } from '../../commandLine/standardStreams.ts';
import { withSignals } from '../../commandLine/withSignals.ts';
import { withStore } from '../../commandLine/withStore.ts';
import type { Terminal } from '../../output/terminal.ts';

export function blobsGetCommand(terminal: Terminal): Command {
  return newCommand('get', 'Write a kept blob to standard output, as it came', [
    ['sediment blobs get sha256:8a5e… > layer.tar.gz', 'one layer, still compressed'],
    ['sediment blobs get 8a5e2f6c11d9 | jq .config', 'a config, by the beginning of its digest'],
  ])
    .argument('<digest>', 'digest of the blob, or the beginning of it')
    .action(async (text: string, _options: unknown, command: Command) => {
      refuseTerminalOutput(command);
      await withSignals(terminal, async ({ signal }) => {
        await withStore(command, terminal, async ({ blobs }) => {
          const { open } = await blobs.get(await findBlob(blobs, text));
          await writeOut(open(signal));
        });
      });
    });
}

/** A reader that has seen enough is no failure, as everywhere in this program. */
async function writeOut(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await pipeline(Readable.from(bytes, { objectMode: false }), process.stdout, { end: false });
  } catch (error) {
    if (errnoCode(error) !== 'EPIPE') throw error;
  }
}
