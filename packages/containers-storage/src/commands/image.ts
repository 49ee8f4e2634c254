import type { ImageInfo, Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
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

async function describeImage(store: Store, image: ImageInfo): Promise<string> {
  const { id, names, layer = '', mappedLayers, digests, bigData, readOnly } = image;
  return [
    `ID: ${id}\n`,
    ...names.map((name) => `Name: ${name}\n`),
    ...[layer, ...mappedLayers].map((top) => `Top Layer: ${top}\n`),
    ...digests.map((digest) => `Digest: ${digest}\n`),
    ...bigData.map(({ name }) => `Data: ${name}\n`),
    await sizeLine(async () => await store.images.size(id)),
    readOnly ? 'Read Only: true\n' : '',
  ].join('');
}
