import { createWriteStream, openSync } from 'node:fs';
import type { Compression } from '@sediment/core';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, stringFlag } from '../commandLine/flag.ts';
import type { FlagValues } from '../commandLine/flagValues.ts';
import { withPath } from '../errors/withPath.ts';
import type { Streams } from '../output/streams.ts';
import { comparedLayers, TWO_LAYERS } from './comparedLayers.ts';

/** Of several flags the last one here wins. */
const COMPRESSION_FLAGS = [
  ['--uncompressed', 'none'],
  ['--gzip', 'gzip'],
  ['--bzip2', 'bzip2'],
  ['--xz', 'xz'],
] as const satisfies readonly (readonly [flag: string, compression: Compression])[];

export const diffCommand: CommandDefinition = {
  names: ['diff'],
  ...TWO_LAYERS,
  flags: [
    stringFlag(['--file', '-f'], 'Write to file instead of stdout'),
    booleanFlag(['--uncompressed', '-u'], 'Use no compression'),
    booleanFlag(['--gzip', '-c'], 'Compress using gzip'),
    booleanFlag(['--bzip2', '--bz2', '-b'], 'Compress using bzip2 (not currently supported)'),
    booleanFlag(['--xz', '-x'], 'Compress using xz (not currently supported)'),
  ],
  run: async ({ store, streams, flags, args }) => {
    const { layer, from } = comparedLayers(args);
    const compression = chosenCompression(flags);
    const write = openOutput(flags.string('--file'), streams);
    await using diff = await store.layers.diff(layer, {
      ...(from === undefined ? {} : { from }),
      ...(compression === undefined ? {} : { compression }),
    });
    await write(diff);
    return SUCCESS;
  },
};

function chosenCompression(flags: FlagValues): Compression | undefined {
  return COMPRESSION_FLAGS.findLast(([flag]) => flags.boolean(flag))?.[1];
}

type Write = (chunks: AsyncIterable<Uint8Array>) => Promise<void>;

/** The file is there, and empty, even when the layer then turns out to be unknown. */
function openOutput(file: string, streams: Streams): Write {
  if (file === '') return streams.pipeOut;
  const fd = openSync(file, 'w');
  return async (chunks) => {
    const { pipeline } = await import('node:stream/promises');
    try {
      await pipeline(chunks, createWriteStream(file, { fd }));
    } catch (error) {
      throw withPath(error, file);
    }
  };
}
