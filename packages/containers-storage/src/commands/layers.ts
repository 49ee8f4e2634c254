import type { ContainerInfo, ImageInfo, LayerNames, Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG } from '../commandLine/flag.ts';
import { listOrNull, printJson } from '../output/json.ts';
import { type LayerUse, layerTree } from '../output/layerTree.ts';
import { layerJson } from '../output/recordJson.ts';

export const layersCommand: CommandDefinition = {
  names: ['layers'],
  synopsis: '[options [...]]',
  description: 'List layers',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    JSON_FLAG,
    booleanFlag(['--quiet', '-q'], 'Only print IDs'),
    booleanFlag(['--tree', '-t'], 'Use a tree'),
  ],
  run: async ({ store, streams, flags }) => {
    if (flags.boolean('--json')) {
      printJson(streams, listOrNull((await store.layers.list()).map(layerJson)));
    } else if (flags.boolean('--tree')) {
      streams.out(layerTree(await usesOf(store, await store.layers.list(), flags.boolean('--quiet'))));
    } else {
      const uses = await usesOf(store, await store.layers.listNames(), flags.boolean('--quiet'));
      streams.out(uses.map(listedLayer).join(''));
    }
    return SUCCESS;
  },
};

async function usesOf<L extends LayerNames>(
  store: Store,
  layers: readonly L[],
  idsOnly: boolean,
): Promise<LayerUse<L>[]> {
  if (!idsOnly) return await layerUses(store, layers);
  return layers.map((layer) => ({ layer: { ...layer, names: [] }, images: [], containers: [] }));
}

async function layerUses<L extends LayerNames>(store: Store, layers: readonly L[]): Promise<LayerUse<L>[]> {
  const images = byLayer(await store.images.list(), ({ layer, mappedLayers }) =>
    layer === undefined ? mappedLayers : [layer, ...mappedLayers],
  );
  const containers = byLayer(await store.containers.list(), ({ layer }) => [layer]);
  return layers.map((layer) => ({
    layer,
    images: images.get(layer.id) ?? [],
    containers: containers.get(layer.id) ?? [],
  }));
}

function byLayer<T>(users: readonly T[], layersOf: (user: T) => readonly string[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const user of users) {
    for (const id of new Set(layersOf(user))) {
      const others = found.get(id);
      if (others === undefined) found.set(id, [user]);
      else others.push(user);
    }
  }
  return found;
}

function listedLayer({ layer, images, containers }: LayerUse<LayerNames>): string {
  let text = `${layer.id}\n`;
  for (const name of layer.names) text += `\tname: ${name}\n`;
  for (const image of images) text += userLines('image', image);
  for (const container of containers) text += userLines('container', container);
  return text;
}

function userLines(kind: string, { id, names }: ImageInfo | ContainerInfo): string {
  return `\t${kind}: ${id}\n${names.map((name) => `\t\tname: ${name}\n`).join('')}`;
}
