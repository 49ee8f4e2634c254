import { posix } from 'node:path';
import { isStorageError } from '@sediment/core';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG, stringFlag } from '../commandLine/flag.ts';
import { CommandError } from '../errors/commandError.ts';
import { errorText } from '../errors/errorText.ts';
import { goQuote } from '../output/goQuote.ts';

const LARGEST_ID = 0xffff_ffff;

export const copyCommand: CommandDefinition = {
  names: ['copy'],
  synopsis: '[options [...]] [sourceLayerNameOrID:]/path [...] targetLayerNameOrID:/path',
  description: 'Copy files or directories into a layer, possibly from another layer',
  minArgs: 2,
  maxArgs: undefined,
  // nothing is printed, as JSON or otherwise
  flags: [stringFlag(['--chown', '-o'], 'Set owner on new copies'), JSON_FLAG],
  run: async ({ store, flags, args }) => {
    const chown = flags.string('--chown');
    const places = args.map(parsePlace);
    const owner = chown === '' ? {} : { chown: parseOwner(chown) };
    try {
      await store.copy({ sources: places.slice(0, -1), destination: places.at(-1) as Place, ...owner });
    } catch (error) {
      if (!isStorageError(error, 'LAYER_UNKNOWN')) throw error;
      throw new CommandError(`error finding layer ${goQuote(error.facts.object ?? '')}: ${errorText(error)}`);
    }
    return SUCCESS;
  },
};

interface Place {
  readonly layer?: string;
  readonly path: string;
}

/**
 * Whatever stands before the first colon is a layer, whose paths the Go command cleans, so that a slash at
 * the end means nothing; without one it is a path of the host.
 */
function parsePlace(text: string): Place {
  const colon = text.indexOf(':');
  if (colon === -1) return { path: text };
  return { layer: text.slice(0, colon), path: posix.resolve('/', text.slice(colon + 1)) };
}

function parseOwner(text: string): { uid: number; gid: number } {
  const colon = text.indexOf(':');
  const [user, group] = colon === -1 ? [text, text] : [text.slice(0, colon), text.slice(colon + 1)];
  return { uid: parseId(user, 'UID'), gid: parseId(group, 'GID') };
}

function parseId(text: string, what: 'UID' | 'GID'): number {
  const defect = /^[0-9]+$/.test(text) ? Number(text) > LARGEST_ID && 'value out of range' : 'invalid syntax';
  if (defect) throw new CommandError(`bad ${what}: strconv.ParseUint: parsing ${goQuote(text)}: ${defect}`);
  return Number(text);
}
