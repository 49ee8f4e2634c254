import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { comparedLayers, TWO_LAYERS } from './comparedLayers.ts';

export const diffSizeCommand: CommandDefinition = {
  names: ['diffsize', 'diff-size'],
  ...TWO_LAYERS,
  flags: [],
  run: async ({ store, streams, args }) => {
    const { layer, from } = comparedLayers(args);
    streams.out(`${await store.layers.diffSize(layer, from)}\n`);
    return SUCCESS;
  },
};
