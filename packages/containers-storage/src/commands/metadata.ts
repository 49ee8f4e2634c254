import { isStorageError } from '@sediment/core';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { FAILURE, SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG } from '../commandLine/flag.ts';
import { CommandError } from '../errors/commandError.ts';
import { printJson, sortedMap } from '../output/json.ts';
import { METADATA_FLAGS, readMetadata } from './metadataFlags.ts';

export const metadataCommand: CommandDefinition = {
  names: ['metadata'],
  synopsis: '[LayerOrImageOrContainerNameOrID [...]]',
  description: 'Retrieve layer, image, or container metadata',
  minArgs: 1,
  maxArgs: undefined,
  flags: [booleanFlag(['--quiet', '-q'], 'Omit names and IDs'), JSON_FLAG],
  run: async ({ store, streams, flags, args }) => {
    const known = new Map<string, string>();
    for (const arg of args) {
      try {
        known.set(arg, (await store.objects.metadata(arg)).replace(/\n$/, ''));
      } catch (error) {
        if (!isStorageError(error, 'NOT_AN_ID')) throw error;
      }
    }
    if (flags.boolean('--json')) {
      printJson(streams, sortedMap(known));
    } else {
      for (const arg of args) {
        streams.out(`${flags.boolean('--quiet') ? '' : `${arg}: `}${known.get(arg) ?? ''}\n`);
      }
    }
    return args.every((arg) => known.has(arg)) ? SUCCESS : FAILURE;
  },
};

export const setMetadataCommand: CommandDefinition = {
  names: ['set-metadata', 'setmetadata'],
  synopsis: '[options [...]] layerOrImageOrContainerNameOrID',
  description: 'Set layer, image, or container metadata',
  minArgs: 1,
  maxArgs: 1,
  flags: METADATA_FLAGS,
  run: async ({ store, flags, args: [object = ''] }) => {
    if (flags.string('--metadata') === '' && flags.string('--metadata-file') === '') {
      throw new CommandError('no new metadata provided');
    }
    await store.objects.setMetadata(object, readMetadata(flags));
    return SUCCESS;
  },
};
