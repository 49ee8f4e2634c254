import { type ErrorCode, isStorageError } from '@sediment/core';
import type { CommandContext, CommandDefinition } from '../commandLine/commandDefinition.ts';
import { FAILURE, SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG } from '../commandLine/flag.ts';
import { errorText } from '../errors/errorText.ts';
import { printJson, sortedMap } from '../output/json.ts';

export const deleteCommand: CommandDefinition = {
  names: ['delete'],
  synopsis: '[LayerOrImageOrContainerNameOrID [...]]',
  description: 'Delete a layer or image or container, with no safety checks',
  minArgs: 1,
  maxArgs: undefined,
  flags: [JSON_FLAG],
  run: async (context) => await deleteEach(context, (arg) => context.store.objects.delete(arg)),
};

export const deleteLayerCommand: CommandDefinition = {
  names: ['delete-layer', 'deletelayer'],
  synopsis: '[LayerNameOrID [...]]',
  description: 'Delete a layer, with safety checks',
  minArgs: 1,
  maxArgs: undefined,
  flags: [JSON_FLAG],
  run: async (context) =>
    await deleteEach(context, (arg) => context.store.layers.delete(arg), {
      code: 'LAYER_UNKNOWN',
      text: 'identifier is not a layer',
    }),
};

export const deleteContainerCommand: CommandDefinition = {
  names: ['delete-container', 'deletecontainer'],
  synopsis: '[ContainerNameOrID [...]]',
  description: 'Delete a container, with safety checks',
  minArgs: 1,
  maxArgs: undefined,
  flags: [JSON_FLAG],
  run: async (context) =>
    await deleteEach(context, (arg) => context.store.containers.delete(arg), {
      code: 'CONTAINER_UNKNOWN',
      text: 'identifier is not a container',
    }),
};

export const deleteImageCommand: CommandDefinition = {
  names: ['delete-image', 'deleteimage'],
  synopsis: '[ImageNameOrID [...]]',
  description: 'Delete an image, with safety checks',
  minArgs: 1,
  maxArgs: undefined,
  flags: [booleanFlag(['--test', '-t'], 'Only test removal'), JSON_FLAG],
  run: async ({ store, streams, flags, args }) => {
    const dryRun = flags.boolean('--test');
    const results = await resultsOf(args, (arg) => store.images.delete(arg, { dryRun }), {
      code: 'IMAGE_UNKNOWN',
      text: 'identifier is not an image',
    });
    if (flags.boolean('--json')) {
      printJson(streams, sortedMap(mapValues(results, deletedImageJson)));
    } else {
      for (const [arg, { value = [], error }] of results) {
        const lines = error === '' ? value : [error];
        for (const line of lines) streams.err(`${arg}: ${line}\n`);
      }
    }
    return exitStatus(results);
  },
};

/** How the command speaks of an argument that names nothing. */
interface Unknown {
  readonly code: ErrorCode;
  readonly text: string;
}

/** What came of one argument; `error` is empty when all went well. */
interface Result<T> {
  readonly value?: T;
  readonly error: string;
}

async function deleteEach(
  { streams, flags, args }: CommandContext,
  act: (arg: string) => Promise<void>,
  unknown?: Unknown,
): Promise<number> {
  const results = await resultsOf(args, act, unknown);
  if (flags.boolean('--json')) {
    printJson(streams, sortedMap(mapValues(results, ({ error }) => error)));
  } else {
    for (const [arg, { error }] of results) if (error !== '') streams.err(`${arg}: ${error}\n`);
  }
  return exitStatus(results);
}

/** Of an argument that is given twice the second result counts. */
async function resultsOf<T>(
  args: readonly string[],
  act: (arg: string) => Promise<T>,
  unknown?: Unknown,
): Promise<ReadonlyMap<string, Result<T>>> {
  const results = new Map<string, Result<T>>();
  for (const arg of args) {
    try {
      results.set(arg, { value: await act(arg), error: '' });
    } catch (error) {
      const isUnknown = unknown !== undefined && isStorageError(error, unknown.code);
      results.set(arg, { error: isUnknown ? unknown.text : errorText(error) });
    }
  }
  return results;
}

function deletedImageJson({ value = [], error }: Result<readonly string[]>): Record<string, unknown> {
  return {
    ...(value.length === 0 ? {} : { 'deleted-layers': value }),
    ...(error === '' ? {} : { error }),
  };
}

function mapValues<T, U>(results: ReadonlyMap<string, T>, convert: (value: T) => U): Record<string, U> {
  return Object.fromEntries([...results].map(([key, value]) => [key, convert(value)]));
}

function exitStatus(results: ReadonlyMap<string, Result<unknown>>): number {
  return [...results.values()].every(({ error }) => error === '') ? SUCCESS : FAILURE;
}
