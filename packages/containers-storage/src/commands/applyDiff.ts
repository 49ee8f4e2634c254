import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { stringFlag } from '../commandLine/flag.ts';
import { inputFile } from './inputFile.ts';

export const applyDiffCommand: CommandDefinition = {
  names: ['applydiff', 'apply-diff'],
  // the Go command shows a second argument, and rejects it
  synopsis: '[options [...]] layerNameOrID [referenceLayerNameOrID]',
  description: 'Apply a diff to a layer',
  minArgs: 1,
  maxArgs: 1,
  flags: [stringFlag(['--file', '-f'], 'Read from file instead of stdin')],
  run: async ({ store, streams, flags, args: [layer = ''] }) => {
    await store.layers.applyDiff(layer, await inputFile(flags.string('--file'), streams));
    return SUCCESS;
  },
};

export const applyDiffUsingStagingDirCommand: CommandDefinition = {
  names: ['applydiff-using-staging-dir'],
  synopsis: 'layerNameOrID directory',
  description: 'Apply a diff to a layer using a staging directory',
  minArgs: 2,
  maxArgs: 2,
  flags: [],
  run: async ({ store, args: [layer = '', directory = ''] }) => {
    await store.layers.applyDiffFromDirectory(layer, directory);
    return SUCCESS;
  },
};
