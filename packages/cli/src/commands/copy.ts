import type { Warning } from '@sediment/core';
import type { CopiedImage, CopyOptions, ImageReference } from '@sediment/image';
import type { Store } from '@sediment/storage';
import type { Command } from 'commander';
import { openCommandCache } from '../commandLine/commandBlobInfoCache.ts';
import { addCopyOptions, type CopyCommandOptions, readCopyOptions } from '../commandLine/copyOptions.ts';
import { collect, newCommand } from '../commandLine/newCommand.ts';
import { isStandardOutput, refuseTerminalOutput } from '../commandLine/standardStreams.ts';
import { withProgress } from '../commandLine/withProgress.ts';
import { withStore } from '../commandLine/withStore.ts';
import { printCopies } from '../output/printCopies.ts';
import { reportWarning } from '../output/report.ts';
import type { Terminal } from '../output/terminal.ts';
import { COPY_PROGRESS } from '../progress/copyProgress.ts';

interface CopyImageOptions extends CopyCommandOptions {
  readonly all?: boolean;
  readonly additionalTag?: readonly string[];
}

export function copyCommand(terminal: Terminal): Command {
  const command = newCommand(
    'copy',
    'Copy an image from one place to another, with the references of skopeo',
    [
      [
        'sediment copy containers-storage:localhost/app:1 oci:layout:app',
        'an image of the store into an OCI layout',
      ],
      ['sediment copy oci-archive:app.tar containers-storage:localhost/app:1', 'and into the store'],
      ['sediment copy --all oci:layout:app dir:all', 'an index with the images of all platforms'],
      ['sediment copy containers-storage:[overlay@/srv/graph+/run/srv]app dir:app', 'from another store'],
    ],
  )
    .argument(
      '<source>',
      'docker-archive:, oci-archive:, oci:, dir: or containers-storage:, with path[:image]',
    )
    .argument(
      '<destination>',
      'likewise; containers-storage: without [driver@/root+/run] is the store of the options',
    )
    .option('-a, --all', 'of an index, copy the images of all platforms')
    .option('--additional-tag <name>', 'a further name that the image gets there (repeatable)', collect);
  return addCopyOptions(command).action(
    async (source: string, destination: string, options: CopyImageOptions, action: Command) => {
      const isPiped = isStandardOutput(destination);
      const copied = await runCopy({ command: action, terminal, options, source, destination });
      printCopies(terminal, [copied], {
        ...options,
        verb: 'Copied',
        place: `to ${isPiped ? 'standard output' : destination}`,
        isPiped,
      });
    },
  );
}

interface CopyRequest {
  readonly command: Command;
  readonly terminal: Terminal;
  readonly options: CopyImageOptions;
  readonly source: string;
  readonly destination: string;
}

/** The store of the options is opened only if a reference means it. */
async function runCopy(request: CopyRequest): Promise<CopiedImage> {
  const { command, options, source, destination } = request;
  return await withProgress(request, COPY_PROGRESS, async ({ watched, onProgress, signals }) => {
    const { copyImage, parseImageReference } = await import('@sediment/image');
    const from = parseImageReference(source, 'source');
    const to = parseImageReference(destination, 'destination');
    if (isStandardOutput(destination)) refuseTerminalOutput(command);
    const onWarning = (warning: Warning) => reportWarning(watched, warning);
    using blobInfoCache =
      to.transport === 'containers-storage' ? await openCommandCache(onWarning) : undefined;
    const copy = (store?: Store) =>
      copyImage(from, to, {
        ...copyOptions(options),
        ...(store === undefined ? {} : { store }),
        ...(blobInfoCache === undefined ? {} : { blobInfoCache }),
        onProgress,
        onWarning,
        signal: signals.signal,
      });
    return await (meansOwnStore(from) || meansOwnStore(to) ? withStore(command, watched, copy) : copy());
  });
}

function meansOwnStore(reference: ImageReference): boolean {
  return reference.transport === 'containers-storage' && reference.store === undefined;
}

function copyOptions({ all, additionalTag, ...options }: CopyImageOptions): CopyOptions {
  return {
    ...readCopyOptions(options),
    ...(all === undefined ? {} : { allPlatforms: all }),
    ...(additionalTag === undefined ? {} : { additionalNames: additionalTag }),
  };
}
