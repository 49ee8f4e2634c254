import { type ErrorCode, isStorageError } from '@sediment/core';
import type { Store } from '@sediment/storage';
import type { CommandContext } from '../commandLine/commandDefinition.ts';
import { FAILURE, SUCCESS } from '../commandLine/exitStatus.ts';
import { printJson } from '../output/json.ts';

export interface Examination<T> {
  /** Code of the error that says that there is no such object. */
  readonly unknown: ErrorCode;
  get(store: Store, idOrName: string): Promise<T>;
  describe(store: Store, object: T): Promise<string>;
  json(object: T): unknown;
}

/** Prints the objects that the arguments name. Unknown ones are passed over in silence, and fail the command. */
export async function examine<T>(
  { store, streams, flags, args }: CommandContext,
  { unknown, get, describe, json }: Examination<T>,
): Promise<number> {
  const found: T[] = [];
  for (const arg of args) {
    try {
      found.push(await get(store, arg));
    } catch (error) {
      if (!isStorageError(error, unknown)) throw error;
    }
  }
  if (flags.boolean('--json')) printJson(streams, found.map(json));
  else for (const object of found) streams.out(await describe(store, object));
  return found.length === args.length ? SUCCESS : FAILURE;
}
