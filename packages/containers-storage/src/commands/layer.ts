import type { IdMap, LayerInfo } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { layerJson } from '../output/recordJson.ts';
import { examine } from './examine.ts';

export const layerCommand: CommandDefinition = {
  names: ['layer'],
  synopsis: '[options [...]] layerNameOrID [...]',
  description: 'Examine a layer',
  minArgs: 1,
  maxArgs: undefined,
  flags: [JSON_FLAG],
  run: async (context) =>
    await examine(context, {
      unknown: 'LAYER_UNKNOWN',
      get: async (store, arg) => await store.layers.get(arg),
      describe: async (_store, layer) => describeLayer(layer),
      json: layerJson,
    }),
};

function describeLayer({ id, uidMap, gidMap, parent, names, readOnly }: LayerInfo): string {
  const mapping = (kind: string) => (map: IdMap) =>
    `${kind} mapping: (container=${map.containerId}, host=${map.hostId}, size=${map.size})\n`;
  return [
    `ID: ${id}\n`,
    ...uidMap.map(mapping('UID')),
    ...gidMap.map(mapping('GID')),
    parent === undefined ? '' : `Parent: ${parent}\n`,
    ...names.map((name) => `Name: ${name}\n`),
    readOnly ? 'Read Only: true\n' : '',
  ].join('');
}
