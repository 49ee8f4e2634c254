import { createReadStream } from 'node:fs';
import { isStorageError, parseDigest, wrapSystemError } from '@sediment/core';
import type { BlobInfo } from '@sediment/storage';
import type { Command } from 'commander';
import { newCommand } from '../../commandLine/newCommand.ts';
import { refuseTerminalInput } from '../../commandLine/standardStreams.ts';
import { withSignals } from '../../commandLine/withSignals.ts';
import { withStore } from '../../commandLine/withStore.ts';
import { formatBytes } from '../../output/bytes.ts';
import type { Terminal } from '../../output/terminal.ts';

interface PutOptions {
  readonly digest?: string;
  readonly mediaType?: string;
  readonly pin?: boolean;
  readonly quiet?: boolean;
}

export function blobsPutCommand(terminal: Terminal): Command {
  return newCommand('put', 'Keep a blob; without --pin "sediment gc" takes it away again after an hour', [
    ['sediment blobs put --pin layer.tar.gz', 'keeps a file until it is unpinned'],
    [
      'curl https://host/blob | sediment blobs put --digest sha256:8a5e… -',
      'keeps what has that digest only',
    ],
  ])
    .argument('<file>', 'the file, or - for standard input')
    .option('--digest <digest>', 'refuse bytes that do not have this digest')
    .option('--media-type <type>', 'what the bytes are')
    .option('--pin', 'keep it whatever becomes of its images')
    .option('-q, --quiet', 'print the digest only')
    .action(async (file: string, options: PutOptions, command: Command) => {
      if (file === '-') refuseTerminalInput(command);
      const digest = options.digest === undefined ? undefined : parseDigest(options.digest);
      const blob = await withSignals(terminal, async ({ signal }) => {
        return await withStore(command, terminal, async ({ blobs }) => {
          const put = await blobs.put(bytesOf(file), {
            ...(digest === undefined ? {} : { digest }),
            ...(options.mediaType === undefined ? {} : { mediaType: options.mediaType }),
            signal,
          });
          if (options.pin) await blobs.pin(put.digest);
          return put;
        });
      });
      terminal.print(options.quiet ? `${blob.digest}\n` : describePut(blob, options.pin === true));
    });
}

function describePut({ digest, size }: BlobInfo, pinned: boolean): string {
  return `Kept ${digest} (${formatBytes(size)}${pinned ? ', pinned' : ''})\n`;
}

async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file === '-' ? process.stdin : createReadStream(file);
  } catch (error) {
    if (isStorageError(error)) throw error;
    throw wrapSystemError(error, `reading ${file}`, 'IO', { path: file });
  }
}
