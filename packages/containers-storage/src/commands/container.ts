import { isStorageError } from '@sediment/core';
import type { ContainerInfo, Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { containerJson } from '../output/recordJson.ts';
import { examine } from './examine.ts';
import { sizeLine } from './sizeLine.ts';

export const containerCommand: CommandDefinition = {
  names: ['container'],
  synopsis: '[options [...]] containerNameOrID [...]',
  description: 'Examine a container',
  minArgs: 1,
  maxArgs: undefined,
  flags: [JSON_FLAG],
  run: async (context) =>
    await examine(context, {
      unknown: 'CONTAINER_UNKNOWN',
      get: async (store, arg) => await store.containers.get(arg),
      describe: describeContainer,
      json: containerJson,
    }),
};

async function describeContainer(store: Store, container: ContainerInfo): Promise<string> {
  const { id, names, image, layer, bigData } = container;
  return [
    `ID: ${id}\n`,
    ...names.map((name) => `Name: ${name}\n`),
    `Image: ${image}\n`,
    ...(await imageNames(store, image)).map((name) => `Image name: ${name}\n`),
    await sizeLine(async () => await store.containers.size(id)),
    `Layer: ${layer}\n`,
    ...bigData.map(({ name }) => `Data: ${name}\n`),
  ].join('');
}

/** A container may have no image, or outlive it. */
async function imageNames(store: Store, image: string): Promise<readonly string[]> {
  if (image === '') return [];
  try {
    return (await store.images.get(image)).names;
  } catch (error) {
    if (isStorageError(error, 'IMAGE_UNKNOWN')) return [];
    throw error;
  }
}
