import { type ErrorCode, isStorageError } from '@sediment/core';
import type { Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { FAILURE, SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG } from '../commandLine/flag.ts';
import { printJson, sortedMap } from '../output/json.ts';

const KINDS = ['layer', 'image', 'container'] as const;
type Kind = (typeof KINDS)[number];

export const existsCommand: CommandDefinition = {
  names: ['exists'],
  synopsis: '[LayerOrImageOrContainerNameOrID [...]]',
  description: 'Check if a layer or image or container exists',
  minArgs: 1,
  maxArgs: undefined,
  flags: [
    booleanFlag(['--quiet', '-q'], "Don't print names"),
    booleanFlag(['--layer', '-l'], 'Only succeed if the match is a layer'),
    booleanFlag(['--image', '-i'], 'Only succeed if the match is an image'),
    booleanFlag(['--container', '-c'], 'Only succeed if the match is a container'),
    JSON_FLAG,
  ],
  run: async ({ store, streams, flags, args }) => {
    const kinds = KINDS.filter((kind) => flags.boolean(`--${kind}`));
    const found = new Map<string, boolean>();
    let isComplete = true;
    for (const arg of args) {
      const exists = await store.objects.exists(arg);
      found.set(arg, exists);
      // the kinds decide over the exit status only, not over what is printed
      isComplete &&= exists && (await isAllOf(store, arg, kinds));
    }
    if (flags.boolean('--json')) printJson(streams, sortedMap(found));
    else if (!flags.boolean('--quiet')) for (const [arg, exists] of found) streams.out(`${arg}: ${exists}\n`);
    return isComplete ? SUCCESS : FAILURE;
  },
};

async function isAllOf(store: Store, idOrName: string, kinds: readonly Kind[]): Promise<boolean> {
  const checks: Readonly<Record<Kind, () => Promise<boolean>>> = {
    layer: () => isKnown('LAYER_UNKNOWN', () => store.layers.get(idOrName)),
    image: () => isKnown('IMAGE_UNKNOWN', () => store.images.get(idOrName)),
    container: () => isKnown('CONTAINER_UNKNOWN', () => store.containers.get(idOrName)),
  };
  for (const kind of kinds) if (!(await checks[kind]())) return false;
  return true;
}

async function isKnown(unknown: ErrorCode, get: () => Promise<unknown>): Promise<boolean> {
  try {
    await get();
    return true;
  } catch (error) {
    if (isStorageError(error, unknown)) return false;
    throw error;
  }
}
