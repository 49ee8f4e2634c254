import type { CopiedImage, CopyOptions } from '@sediment/image';
import type { Command } from 'commander';
import { addCopyOptions, type CopyCommandOptions, readCopyOptions } from '../commandLine/copyOptions.ts';
import { type ExportReference, exportDestination } from '../commandLine/exportDestination.ts';
import { collect, newCommand } from '../commandLine/newCommand.ts';
import { isStandardOutput, refuseTerminalOutput } from '../commandLine/standardStreams.ts';
import { withProgress } from '../commandLine/withProgress.ts';
import { withStore } from '../commandLine/withStore.ts';
import { printCopies } from '../output/printCopies.ts';
import { reportWarning } from '../output/report.ts';
import type { Terminal } from '../output/terminal.ts';
import { COPY_PROGRESS } from '../progress/copyProgress.ts';

interface ExportOptions extends CopyCommandOptions {
  readonly name?: readonly string[];
  readonly allPlatforms?: boolean;
}

export function exportCommand(terminal: Terminal): Command {
  const command = newCommand('export', 'Write images of the store to an archive or a directory', [
    ['sediment export app:1 app.tar', 'an oci-archive with the image and its names'],
    ['sediment export app:1 web:2 docker-archive:both.tar', 'both, for "docker load" and "podman load"'],
    ['sediment export --compression zstd app:1 layout/', 'an OCI layout with small layers'],
    ['sediment export app:1 - | ssh host sediment import -', 'to another host'],
  ])
    .argument('<image...>', 'names or ids of images, then the destination')
    .usage('[options] <image...> <destination>')
    .addHelpText(
      'after',
      `
The destination is docker-archive:file, oci-archive:file, oci:directory or dir:directory, the first three also with :name;
or just a path: a file (.tar) or - (standard output) is an oci-archive, a directory (or a path that ends in /) an OCI layout.`,
    )
    .option('--name <name>', 'name that the image gets there instead of those it has (repeatable)', collect)
    .option(
      '--all-platforms',
      'all platforms of the index that the image came from, if their blobs were kept',
    );
  return addCopyOptions(command).action(async (args: string[], options: ExportOptions, action: Command) => {
    const images = args.slice(0, -1);
    const place = args.at(-1) ?? '';
    if (images.length === 0) action.error("error: missing required argument 'destination'");
    if (options.name !== undefined && images.length > 1)
      action.error("error: option '--name' is for one image");
    const isPiped = isStandardOutput(place);
    if (isPiped) refuseTerminalOutput(action);
    const { to, copied } = await runExport({ command: action, terminal, options, images, place });
    printCopies(terminal, copied, {
      ...options,
      verb: 'Exported',
      place: isPiped ? `as ${to.transport} to standard output` : `as ${to.transport}:${to.path}`,
      isPiped,
    });
  });
}

interface ExportRequest {
  readonly command: Command;
  readonly terminal: Terminal;
  readonly options: ExportOptions;
  readonly images: readonly string[];
  readonly place: string;
}

interface Exported {
  readonly to: ExportReference;
  readonly copied: readonly CopiedImage[];
}

async function runExport(request: ExportRequest): Promise<Exported> {
  const { command, options, images, place } = request;
  return await withProgress(request, COPY_PROGRESS, async ({ watched, onProgress, signals }) => {
    const to = await exportDestination(place);
    checkNames(request, to);
    return await withStore(command, watched, async (store) => {
      const { exportImages, normalizeLocalName } = await import('@sediment/image');
      const names = (options.name ?? []).map(normalizeLocalName);
      const copied = await exportImages(store, images, named(to, names), {
        ...copyOptions(options, 'select' in to ? names : names.slice(1)),
        onProgress,
        onWarning: (warning) => reportWarning(watched, warning),
        signal: signals.signal,
      });
      return { to, copied };
    });
  });
}

/** A name is for one image, and needs a place that can hold it. */
function checkNames({ command, options, images, place }: ExportRequest, to: ExportReference): void {
  if (images.length > 1 && 'select' in to) {
    command.error(`error: '${place}' names one image, but ${images.length} are exported`);
  }
  if (to.transport === 'dir' && options.name !== undefined) {
    command.error("error: option '--name' cannot be used with dir:, which holds no names");
  }
}

/** The first name is that of the destination, unless it has one. */
function named(to: ExportReference, [name]: readonly string[]): ExportReference {
  return name === undefined || to.transport === 'dir' || to.select !== undefined
    ? to
    : { ...to, select: { name } };
}

function copyOptions(options: ExportOptions, additionalNames: readonly string[]): CopyOptions {
  const { allPlatforms } = options;
  return {
    ...readCopyOptions(options),
    ...(allPlatforms === undefined ? {} : { allPlatforms }),
    ...(additionalNames.length === 0 ? {} : { additionalNames }),
  };
}
