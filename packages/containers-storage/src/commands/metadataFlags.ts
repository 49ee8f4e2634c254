import { readFileSync } from 'node:fs';
import { type Flag, stringFlag } from '../commandLine/flag.ts';
import type { FlagValues } from '../commandLine/flagValues.ts';
import { withPath } from '../errors/withPath.ts';

export const METADATA_FLAGS: readonly Flag[] = [
  stringFlag(['--metadata', '-m'], 'Metadata'),
  stringFlag(['--metadata-file', '-f'], 'Metadata File'),
];

/** The metadata of the command line; what is in a file wins. */
export function readMetadata(flags: FlagValues): string {
  const file = flags.string('--metadata-file');
  if (file === '') return flags.string('--metadata');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw withPath(error, file);
  }
}
