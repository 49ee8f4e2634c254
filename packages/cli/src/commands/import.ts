import type { Warning } from '@sediment/core';
import type { ImportAllOptions, ImportEvent } from '@sediment/image';
import type { Store } from '@sediment/storage';
import { type Command, Option } from 'commander';
import { openCommandCache } from '../commandLine/commandBlobInfoCache.ts';
import { collect, formatOption, newCommand } from '../commandLine/newCommand.ts';
import { refuseTerminalInput } from '../commandLine/standardStreams.ts';
import { progressOption, withProgress } from '../commandLine/withProgress.ts';
import { withStore } from '../commandLine/withStore.ts';
import { formatJson } from '../output/json.ts';
import { reportWarning } from '../output/report.ts';
import { shortId } from '../output/shortId.ts';
import type { Terminal } from '../output/terminal.ts';
import { printable } from '../output/text.ts';
import { IMPORT_PROGRESS } from '../progress/importProgress.ts';
import type { ProgressOptions } from '../progress/openProgress.ts';

interface ImportCommandOptions extends ProgressOptions {
  readonly name?: readonly string[];
  readonly all?: boolean;
  readonly image?: string;
  readonly platform?: string;
  readonly keepBlobs?: boolean;
  readonly allPlatforms?: boolean;
  readonly format: 'table' | 'json';
}

export function importCommand(terminal: Terminal): Command {
  return newCommand('import', 'Import images from an archive or a directory', [
    [
      'sediment import app.tar',
      'the form (docker-archive, oci-archive, OCI directory, dir) is found by content',
    ],
    ['sediment import --name app:1 app.tar', 'the image becomes localhost/app:1'],
    ['sediment import oci-archive:all.tar:web', 'the image called web of several'],
    ['sediment import --all all.tar', 'all images of the archive'],
    ['sediment import --keep-blobs app.tar', 'exports of the image will have the digests of the archive'],
    ['zcat app.tar.gz | sediment import -', 'an archive from standard input, compressed or not'],
  ])
    .argument(
      '<source>',
      'file, directory, or - for standard input; also docker-archive:, oci-archive:, oci: or dir: with path[:image]',
    )
    .addOption(
      new Option('--name <name>', 'name for the image instead of those it has there (repeatable)')
        .argParser(collect)
        .conflicts('all'),
    )
    .addOption(new Option('--all', 'import every image of the source').conflicts('image'))
    .option('--image <ref>', 'which image of the source: its name there, or @N counted from 0')
    .option('--platform <os/arch[/variant]>', "which image of an index; default: this host's")
    .option('--keep-blobs', 'keep layers, config and manifest as they came, too, for exports byte by byte')
    .option('--no-keep-blobs', 'do not, whatever the policy of the store ("sediment blobs policy")')
    .option('--all-platforms', 'of an index, keep the blobs of all platforms (with --keep-blobs)')
    .option('-q, --quiet', 'show no progress and print full ids only')
    .addOption(progressOption())
    .addOption(formatOption())
    .action(async (source: string, options: ImportCommandOptions, command: Command) => {
      if (source === '-' || source.endsWith('-archive:-')) refuseTerminalInput(command);
      const rows: ImportRow[] = [];
      try {
        await runImport({ command, terminal, source, options, rows });
      } finally {
        // images before the one that failed are in the store
        printRows(terminal, rows, options);
      }
    });
}

/** An imported image as `sediment import --format json` prints it. */
export interface ImportRow {
  readonly id: string;
  /** All names of the image, newest first. */
  readonly names: readonly string[];
  readonly digest: string | null;
  /** RFC 3339. */
  readonly created: string;
  /** Id of the top layer. */
  readonly layer: string | null;
  /** Whether the image was not in the store before. */
  readonly isNew: boolean;
  /** How many layers it has, and how many of these were in the store before. */
  readonly layerCount: number;
  readonly reusedLayers: number;
  /** Whether the import has kept its blobs. */
  readonly keepsBlobs: boolean;
}

interface ImportRequest {
  readonly command: Command;
  readonly terminal: Terminal;
  readonly source: string;
  readonly options: ImportCommandOptions;
  /** Filled as images are done. */
  readonly rows: ImportRow[];
}

/** Signals abort the import, which then leaves nothing behind. */
async function runImport(request: ImportRequest): Promise<void> {
  const { command, source, options, rows } = request;
  await withProgress(request, IMPORT_PROGRESS, async ({ watched, onProgress, signals }) => {
    const use = async (store: Store) => {
      const { importImages, resolveSourceReference } = await import('@sediment/image');
      const reference = resolveSourceReference(source);
      if (options.all && 'select' in reference) {
        command.error(`error: option '--all' cannot be used with the choice of an image in '${source}'`);
      }
      const collectRow = rowCollector(rows);
      const onWarning = (warning: Warning) => reportWarning(watched, warning);
      using blobInfoCache = await openCommandCache(onWarning);
      await importImages(store, reference, {
        ...importOptions(options),
        ...(blobInfoCache === undefined ? {} : { blobInfoCache }),
        signal: signals.signal,
        onWarning,
        onProgress: (event) => {
          onProgress(event);
          collectRow(event);
        },
      });
    };
    // its threads start while the store is being opened
    await withStore(command, watched, use, { unpackSoon: true });
  });
}

function importOptions(options: ImportCommandOptions): ImportAllOptions {
  const { name, all, image, platform, keepBlobs, allPlatforms } = options;
  return {
    ...(name === undefined ? {} : { names: name }),
    ...(all === undefined ? {} : { all }),
    ...(image === undefined ? {} : { select: image }),
    ...(platform === undefined ? {} : { platform }),
    ...(keepBlobs === undefined ? {} : { keepBlobs }),
    ...(allPlatforms === undefined ? {} : { allPlatforms }),
  };
}

/** Follows the events of an import and adds a row for each image when it is done. */
export function rowCollector(rows: ImportRow[]): (event: ImportEvent) => void {
  let layerCount = 0;
  let reusedLayers = 0;
  return (event) => {
    if (event.type === 'image-start') {
      layerCount = event.layers.length;
      reusedLayers = 0;
    }
    if (event.type === 'layer-reused') reusedLayers += 1;
    if (event.type !== 'image-done') return;
    const { id, names, digest = null, created, layer = null } = event.info;
    const { isNew, keepsBlobs } = event;
    rows.push({ id, names, digest, created, layer, isNew, layerCount, reusedLayers, keepsBlobs });
  };
}

function printRows(terminal: Terminal, rows: readonly ImportRow[], options: ImportCommandOptions): void {
  if (options.format === 'json') terminal.print(formatJson(rows));
  else for (const row of rows) terminal.print(options.quiet ? `${row.id}\n` : `${describeImport(row)}\n`);
}

/** `Imported 63d6a9f688a0 as localhost/app:1 (3 layers, 1 of them already there)`. */
export function describeImport(row: ImportRow): string {
  const { id, names, isNew, layerCount, reusedLayers, keepsBlobs } = row;
  const layers = `${layerCount} layer${layerCount === 1 ? '' : 's'}`;
  const reused = reusedLayers === 0 ? '' : `, ${reusedLayers} of them already there`;
  const as = names.length === 0 ? 'without a name' : `as ${names.map(printable).join(', ')}`;
  return `${isNew ? 'Imported' : 'Already there:'} ${shortId(id)} ${as} (${layers}${isNew ? reused : ''}${keepsBlobs ? '; blobs kept' : ''})`;
}
