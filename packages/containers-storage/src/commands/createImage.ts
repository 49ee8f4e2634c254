import { type Digest, isDigest } from '@sediment/core';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG, nameFlag, stringFlag } from '../commandLine/flag.ts';
import { CommandError } from '../errors/commandError.ts';
import { digestDefect } from '../errors/digestDefect.ts';
import { goQuote } from '../output/goQuote.ts';
import { imageJson } from '../output/recordJson.ts';
import { METADATA_FLAGS, readMetadata } from './metadataFlags.ts';
import { printCreated } from './printCreated.ts';

export const createImageCommand: CommandDefinition = {
  names: ['create-image', 'createimage'],
  synopsis: '[options [...]] topLayerNameOrID',
  description: 'Create a new image using layers',
  minArgs: 0,
  maxArgs: 1,
  flags: [
    nameFlag('Image name'),
    stringFlag(['--id', '-i'], 'Image ID'),
    stringFlag(['--digest', '-d'], 'Image Digest'),
    ...METADATA_FLAGS,
    JSON_FLAG,
  ],
  run: async (context) => {
    const { store, flags, args } = context;
    const metadata = readMetadata(flags);
    const [layer = ''] = args;
    const id = flags.string('--id');
    const image = await store.images.create({
      ...(id === '' ? {} : { id }),
      names: flags.list('--name'),
      ...(layer === '' ? {} : { layer }),
      ...digestOf(flags.string('--digest')),
      metadata,
    });
    printCreated(context, image, imageJson(image));
    return SUCCESS;
  },
};

function digestOf(text: string): { digest?: Digest } {
  if (text === '') return {};
  if (isDigest(text)) return { digest: text };
  throw new CommandError(
    `validating digests for new image: validating image digest ${goQuote(text)}: ${digestDefect(text)}`,
  );
}
