import { describeErrorCode, type StorageError } from '@sediment/core';
import type { ImageInfo, Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { inWords } from '../errors/inWords.ts';
import { goQuote } from '../output/goQuote.ts';
import { imageJson } from '../output/recordJson.ts';
import { examine } from './examine.ts';
import { sizeLine } from './sizeLine.ts';

export const imageCommand: CommandDefinition = {
  names: ['image'],
  synopsis: '[options [...]] imageNameOrID [...]',
  description: 'Examine an image',
  minArgs: 1,
  maxArgs: undefined,
  flags: [JSON_FLAG],
  run: async (context) =>
    await examine(context, {
      unknown: 'IMAGE_UNKNOWN',
      get: async (store, arg) => await store.images.get(arg),
      describe: describeImage,
      json: imageJson,
    }),
};

/** Elsewhere an unknown layer is one that the user named. */
const LOST_LAYER = {
  LAYER_UNKNOWN: ({ code, facts }: StorageError) =>
    `locating layer with ID ${goQuote(facts.object ?? '')}: ${describeErrorCode(code)}`,
};

async function describeImage(store: Store, image: ImageInfo): Promise<string> {
  const { id, names, layer = '', mappedLayers, digests, bigData, readOnly } = image;
  return [
    `ID: ${id}\n`,
    ...names.map((name) => `Name: ${name}\n`),
    ...[layer, ...mappedLayers].map((top) => `Top Layer: ${top}\n`),
    ...digests.map((digest) => `Digest: ${digest}\n`),
    ...bigData.map(({ name }) => `Data: ${name}\n`),
    await sizeLine(async () => await inWords(LOST_LAYER, async () => await store.images.size(id))),
    readOnly ? 'Read Only: true\n' : '',
  ].join('');
}
