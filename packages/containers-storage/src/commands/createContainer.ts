import { describeErrorCode } from '@sediment/core';
import type { CreateContainerRequest } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG, nameFlag, stringFlag } from '../commandLine/flag.ts';
import { inWords } from '../errors/inWords.ts';
import { containerJson } from '../output/recordJson.ts';
import { ID_MAP_FLAGS, readIdMapFlags } from './idMapFlags.ts';
import { METADATA_FLAGS, readMetadata } from './metadataFlags.ts';
import { printCreated } from './printCreated.ts';

export const createContainerCommand: CommandDefinition = {
  names: ['create-container', 'createcontainer'],
  synopsis: '[options [...]] parentImageNameOrID',
  description: 'Create a new container from an image',
  minArgs: 1,
  maxArgs: 1,
  flags: [
    nameFlag('Container name'),
    stringFlag(['--id', '-i'], 'Container ID'),
    ...METADATA_FLAGS,
    ...ID_MAP_FLAGS,
    booleanFlag(['--volatile'], 'Mark as volatile'),
    JSON_FLAG,
  ],
  run: async (context) => {
    const { store, flags, args } = context;
    const metadata = readMetadata(flags);
    const [image = ''] = args;
    const id = flags.string('--id');
    const request: CreateContainerRequest = {
      ...(id === '' ? {} : { id }),
      names: flags.list('--name'),
      ...(image === '' ? {} : { image }),
      metadata,
      volatile: flags.boolean('--volatile'),
      ...(await readIdMapFlags(flags)),
    };
    const container = await inWords(
      { DUPLICATE_ID: ({ code }) => describeErrorCode(code) },
      async () => await store.containers.create(request),
    );
    printCreated(context, container, containerJson(container));
    return SUCCESS;
  },
};
