import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { goQuote } from '../output/goQuote.ts';
import { printJson } from '../output/json.ts';
import { comparedLayers, TWO_LAYERS } from './comparedLayers.ts';

/** A change in text and as a number in JSON. */
const KINDS = {
  modify: { word: 'Modify', number: 0 },
  add: { word: 'Add', number: 1 },
  delete: { word: 'Delete', number: 2 },
} as const;

export const changesCommand: CommandDefinition = {
  names: ['changes'],
  ...TWO_LAYERS,
  flags: [JSON_FLAG],
  run: async ({ store, streams, flags, args }) => {
    const { layer, from } = comparedLayers(args);
    const changes = await store.layers.changes(layer, from);
    if (flags.boolean('--json')) {
      const records = changes.map(({ path, kind }) => ({ Path: path, Kind: KINDS[kind].number }));
      printJson(streams, records.length === 0 ? null : records);
    } else {
      streams.out(changes.map(({ path, kind }) => `${KINDS[kind].word} ${goQuote(path)}\n`).join(''));
    }
    return SUCCESS;
  },
};
