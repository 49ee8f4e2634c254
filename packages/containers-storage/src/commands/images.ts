import { isDigest } from '@sediment/core';
import type { ImageInfo } from '@sediment/storage';
import type { CommandContext, CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG } from '../commandLine/flag.ts';
import { CommandError } from '../errors/commandError.ts';
import { digestDefect } from '../errors/digestDefect.ts';
import { listOrNull, printJson } from '../output/json.ts';
import { imageJson } from '../output/recordJson.ts';

const FLAGS = [JSON_FLAG, booleanFlag(['--quiet', '-q'], 'Only print IDs')];

export const imagesCommand: CommandDefinition = {
  names: ['images'],
  synopsis: '[options [...]]',
  description: 'List images',
  minArgs: 0,
  maxArgs: 0,
  flags: FLAGS,
  run: async (context) => listImages(context, await context.store.images.list()),
};

export const imagesByDigestCommand: CommandDefinition = {
  names: ['images-by-digest'],
  synopsis: '[options [...]] DIGEST',
  description: 'List images by digest',
  minArgs: 1,
  maxArgs: 1,
  flags: FLAGS,
  run: async (context) => {
    const [digest = ''] = context.args;
    if (!isDigest(digest)) throw new CommandError(digestDefect(digest));
    return listImages(context, await context.store.images.byDigest(digest));
  },
};

function listImages({ streams, flags }: CommandContext, images: readonly ImageInfo[]): number {
  if (flags.boolean('--json')) printJson(streams, listOrNull(images.map(imageJson)));
  else if (flags.boolean('--quiet')) streams.out(images.map(({ id }) => `${id}\n`).join(''));
  else streams.out(images.map(listedImage).join(''));
  return SUCCESS;
}

function listedImage({ id, names, digests, bigData }: ImageInfo): string {
  return [
    `${id}\n`,
    ...names.map((name) => `\tname: ${name}\n`),
    ...digests.map((digest) => `\tdigest: ${digest}\n`),
    ...bigData.map(({ name }) => `\tdata: ${name}\n`),
  ].join('');
}
