import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { configuredOptions } from '../commandLine/globalOptions.ts';
import { printJson } from '../output/json.ts';

export const statusCommand: CommandDefinition = {
  names: ['status'],
  synopsis: '',
  description: 'Check on graph driver status',
  minArgs: 0,
  maxArgs: 0,
  flags: [JSON_FLAG],
  run: async ({ store, streams, flags, global }) => {
    const { driverStatus } = await store.info();
    const { driverOptions } = await configuredOptions(global);
    const pairs = [
      ['Root', store.graphRoot],
      ['Run Root', store.runRoot],
      ['Driver Name', store.driver],
      ['Driver Options', `[${driverOptions.join(' ')}]`],
      ...driverStatus,
    ];
    if (flags.boolean('--json')) printJson(streams, pairs);
    else for (const [key, value] of pairs) streams.err(`${key}: ${value}\n`);
    return SUCCESS;
  },
};
