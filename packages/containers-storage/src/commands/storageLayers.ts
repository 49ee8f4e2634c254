import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { printJson } from '../output/json.ts';

export const storageLayersCommand: CommandDefinition = {
  names: ['storage-layers'],
  synopsis: '[options [...]]',
  description: 'List storage layers',
  minArgs: 0,
  maxArgs: 0,
  flags: [JSON_FLAG],
  run: async ({ store, streams, flags }) => {
    const ids = await store.layers.driverLayers();
    if (flags.boolean('--json')) printJson(streams, ids);
    else streams.out(ids.map((id) => `${id}\n`).join(''));
    return SUCCESS;
  },
};
