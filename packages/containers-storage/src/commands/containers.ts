import type { ContainerInfo } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG } from '../commandLine/flag.ts';
import { printJson } from '../output/json.ts';
import { containerJson } from '../output/recordJson.ts';

export const containersCommand: CommandDefinition = {
  names: ['containers'],
  synopsis: '[options [...]]',
  description: 'List containers',
  minArgs: 0,
  maxArgs: 0,
  flags: [JSON_FLAG],
  run: async ({ store, streams, flags }) => {
    const containers = await store.containers.list();
    if (flags.boolean('--json')) printJson(streams, containers.map(containerJson));
    else streams.out(containers.map(listedContainer).join(''));
    return SUCCESS;
  },
};

function listedContainer({ id, names, bigData }: ContainerInfo): string {
  return [
    `${id}\n`,
    ...names.map((name) => `\tname: ${name}\n`),
    ...bigData.map(({ name }) => `\tdata: ${name}\n`),
  ].join('');
}
