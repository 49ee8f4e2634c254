import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { printJson } from '../output/json.ts';
import { readVersion } from '../version.ts';

export const versionCommand: CommandDefinition = {
  names: ['version'],
  synopsis: '',
  description: 'Return containers-storage version information',
  minArgs: 0,
  maxArgs: 0,
  flags: [JSON_FLAG],
  run: async ({ streams, flags }) => {
    const pairs = [['Version', readVersion()]];
    if (flags.boolean('--json')) printJson(streams, pairs);
    else for (const [key, value] of pairs) streams.err(`${key}: ${value}\n`);
    return SUCCESS;
  },
};
