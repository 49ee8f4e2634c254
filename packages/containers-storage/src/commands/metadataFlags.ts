import { readFileSync } from 'node:fs';
import { type Flag, stringFlag } from '../commandLine/flag.ts';
import type { FlagValues } from '../commandLine/flagValues.ts';

export const METADATA_FLAGS: readonly Flag[] = [
  stringFlag(['--metadata', '-m'], 'Metadata'),
  stringFlag(['--metadata-file', '-f'], 'Metadata File'),
];

/** The metadata of the command line; what is in a file wins. */
export function readMetadata(flags: FlagValues): string {
  const file = flags.string('--metadata-file');
  return file === '' ? flags.string('--metadata') : readFileSync(file, 'utf8');
}
