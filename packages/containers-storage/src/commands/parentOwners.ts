import { type ErrorCode, isStorageError } from '@sediment/core';
import type { Store } from '@sediment/storage';
import type { CommandContext, CommandDefinition } from '../commandLine/commandDefinition.ts';
import { FAILURE, SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { CommandError } from '../errors/commandError.ts';
import { errorText } from '../errors/errorText.ts';
import { printJson } from '../output/json.ts';

/** A kind of object whose mount point has parents. */
interface OwnedKind {
  /** Code of the error that says that there is no such object. */
  readonly unknown: ErrorCode;
  /** What failures begin with. */
  readonly call: string;
  /** Empty lists are shown, too. */
  readonly showsEmpty: boolean;
  of(store: Store): {
    get(idOrName: string): Promise<{ readonly id: string }>;
    parentOwners(
      idOrName: string,
    ): Promise<{ readonly uids: readonly number[]; readonly gids: readonly number[] }>;
  };
}

export const layerParentOwnersCommand: CommandDefinition = {
  names: ['layer-parent-owners'],
  synopsis: '[options [...]] layerNameOrID [...]',
  description: 'Compute the set of unmapped parent UIDs and GIDs of the layer',
  minArgs: 1,
  maxArgs: undefined,
  flags: [JSON_FLAG],
  run: async (context) =>
    await printParentOwners(context, {
      unknown: 'LAYER_UNKNOWN',
      call: 'LayerParentOwner',
      showsEmpty: false,
      of: ({ layers }) => layers,
    }),
};

export const containerParentOwnersCommand: CommandDefinition = {
  names: ['container-parent-owners'],
  synopsis: '[options [...]] containerNameOrID [...]',
  description: 'Compute the set of unmapped parent UIDs and GIDs of the container',
  minArgs: 1,
  maxArgs: undefined,
  flags: [JSON_FLAG],
  run: async (context) =>
    await printParentOwners(context, {
      unknown: 'CONTAINER_UNKNOWN',
      call: 'ContainerParentOwner',
      showsEmpty: true,
      of: ({ containers }) => containers,
    }),
};

/** Unknown objects are passed over in silence, and fail the command. */
async function printParentOwners(
  { store, streams, flags, args }: CommandContext,
  { unknown, call, showsEmpty, of }: OwnedKind,
): Promise<number> {
  const found: string[] = [];
  for (const arg of args) {
    try {
      found.push((await of(store).get(arg)).id);
    } catch (error) {
      if (!isStorageError(error, unknown)) throw error;
    }
  }
  for (const id of found) {
    const { uids, gids } = await of(store)
      .parentOwners(id)
      .catch((error: unknown) => {
        throw new CommandError(`${call}: ${errorText(error)}`);
      });
    if (flags.boolean('--json')) {
      printJson(streams, { ID: id, UIDs: orNull(uids), GIDs: orNull(gids) });
    } else {
      const line = (key: string, ids: readonly number[]) =>
        ids.length > 0 || showsEmpty ? `${key}: [${ids.join(' ')}]\n` : '';
      streams.out(`ID: ${id}\n${line('UIDs', uids)}${line('GIDs', gids)}`);
    }
  }
  return found.length === args.length ? SUCCESS : FAILURE;
}

/** An empty list is no list in Go. */
function orNull(ids: readonly number[]): readonly number[] | null {
  return ids.length === 0 ? null : ids;
}
