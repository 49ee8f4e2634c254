import type { CopyOptions } from '@sediment/image';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ProgressOptions } from '../progress/openProgress.ts';
import { progressOption } from './withProgress.ts';

/** Options of all commands that write images to somewhere. */
export interface CopyCommandOptions extends ProgressOptions {
  readonly format?: 'oci' | 'v2s2';
  readonly compression?: 'gzip' | 'zstd' | 'none';
  readonly compressionLevel?: number;
  readonly preserveDigests?: boolean;
  readonly platform?: string;
  readonly removeSignatures?: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export function addCopyOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-f, --format <type>', 'type of the manifest; default: as it is, where possible').choices([
        'oci',
        'v2s2',
      ]),
    )
    .addOption(
      new Option(
        '--compression <kind>',
        'of layers; default: as they are, and gzip for what is made anew',
      ).choices(['gzip', 'zstd', 'none']),
    )
    .addOption(
      new Option('--compression-level <number>', '1 to 9 for gzip, 1 to 22 for zstd').argParser(parseLevel),
    )
    .option('--preserve-digests', 'fail rather than change a byte of manifest, config or layers')
    .option('--platform <os/arch[/variant]>', "which image of an index; default: this host's")
    .option('--remove-signatures', 'leave signatures behind')
    .option('--overwrite', 'replace an archive that exists')
    .option('-q, --quiet', 'show no progress and print the digest of the manifest only')
    .option('--json', 'print the result as JSON')
    .addOption(progressOption());
}

/** What the options say to the engine. */
export function readCopyOptions(options: CopyCommandOptions): CopyOptions {
  const { format, compression, compressionLevel, preserveDigests, platform, removeSignatures, overwrite } =
    options;
  return {
    ...(format === undefined ? {} : { format }),
    ...(compression === undefined ? {} : { compression }),
    ...(compressionLevel === undefined ? {} : { compressionLevel }),
    ...(preserveDigests === undefined ? {} : { preserveDigests }),
    ...(platform === undefined ? {} : { platform }),
    ...(removeSignatures === undefined ? {} : { removeSignatures }),
    ...(overwrite === undefined ? {} : { overwrite }),
  };
}

function parseLevel(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is no number.');
}
