import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { eachMount } from './eachMount.ts';

export const mountedCommand: CommandDefinition = {
  names: ['mounted'],
  synopsis: 'LayerOrContainerNameOrID',
  description: 'Check if a file system is mounted',
  minArgs: 1,
  maxArgs: undefined,
  flags: [JSON_FLAG],
  run: async (context) =>
    await eachMount(
      context,
      (error, arg) => `${error} checking if ${arg} is mounted`,
      async (arg) => {
        if ((await context.store.mounted(arg)) > 0) context.streams.out(`${arg} mounted\n`);
      },
    ),
};
