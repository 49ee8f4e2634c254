import { describeErrorCode } from '@sediment/core';
import type { CreateLayerRequest, LayerInfo } from '@sediment/storage';
import type { CommandContext, CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG, nameFlag, stringFlag } from '../commandLine/flag.ts';
import { inWords } from '../errors/inWords.ts';
import { printJson } from '../output/json.ts';
import { layerJson } from '../output/recordJson.ts';
import { ID_MAP_FLAGS, readIdMapFlags } from './idMapFlags.ts';
import { inputFile } from './inputFile.ts';
import { printCreated } from './printCreated.ts';

const SYNOPSIS = '[options [...]] [parentLayerNameOrID]';

/** Of all commands that make a layer, with a record or without. */
const DRIVER_FLAGS = [
  stringFlag(['--id', '-i'], 'Layer ID'),
  stringFlag(['--label', '-l'], 'Mount Label'),
  booleanFlag(['--readonly', '-r'], 'Mark as read-only'),
  ...ID_MAP_FLAGS,
  JSON_FLAG,
];

/** Of layers the Go command does not say which id or name is in use. */
const IN_USE = {
  DUPLICATE_ID: () => describeErrorCode('DUPLICATE_ID'),
  DUPLICATE_NAME: () => describeErrorCode('DUPLICATE_NAME'),
};

const LAYER_FLAGS = [nameFlag('Layer name'), ...DRIVER_FLAGS];

export const createLayerCommand: CommandDefinition = {
  names: ['create-layer', 'createlayer'],
  synopsis: SYNOPSIS,
  description: 'Create a new layer',
  minArgs: 0,
  maxArgs: 1,
  flags: LAYER_FLAGS,
  run: async (context) => {
    const request = await readRequest(context);
    const create = () => context.store.layers.create({ ...request, ...namesOf(context) });
    return printLayer(context, await inWords(IN_USE, create));
  },
};

export const importLayerCommand: CommandDefinition = {
  names: ['import-layer', 'importlayer'],
  synopsis: SYNOPSIS,
  description: 'Import a new layer',
  minArgs: 0,
  maxArgs: 1,
  flags: [...LAYER_FLAGS, stringFlag(['--file', '-f'], 'Read from file instead of stdin')],
  run: async (context) => {
    const diff = inputFile(context.flags.string('--file'), context.streams);
    const request = await readRequest(context);
    const put = () => context.store.layers.put({ ...request, ...namesOf(context), diff });
    return printLayer(context, (await inWords(IN_USE, put)).layer);
  },
};

export const createStorageLayerCommand: CommandDefinition = {
  names: ['create-storage-layer'],
  synopsis: SYNOPSIS,
  description: 'Create a new layer only in the storage driver',
  minArgs: 0,
  maxArgs: 1,
  flags: DRIVER_FLAGS,
  run: async (context) => {
    const request = await readRequest(context);
    const id = await inWords(IN_USE, () => context.store.layers.createInDriver(request));
    if (context.flags.boolean('--json')) printJson(context.streams, id);
    else context.streams.out(`${id}\n`);
    return SUCCESS;
  },
};

async function readRequest({ flags, args: [parent = ''] }: CommandContext): Promise<CreateLayerRequest> {
  const id = flags.string('--id');
  const mountLabel = flags.string('--label');
  return {
    ...(id === '' ? {} : { id }),
    ...(parent === '' ? {} : { parent }),
    ...(mountLabel === '' ? {} : { mountLabel }),
    readWrite: !flags.boolean('--readonly'),
    ...(await readIdMapFlags(flags)),
  };
}

function namesOf({ flags }: CommandContext): { names: readonly string[] } {
  return { names: flags.list('--name') };
}

function printLayer(context: CommandContext, layer: LayerInfo): number {
  printCreated(context, layer, layerJson(layer));
  return SUCCESS;
}
