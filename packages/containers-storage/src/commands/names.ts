import type { CommandContext, CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG, nameFlag } from '../commandLine/flag.ts';
import { listOrNull, printJson } from '../output/json.ts';

const SYNOPSIS = '[options [...]] imageOrContainerNameOrID';

export const getNamesCommand: CommandDefinition = {
  names: ['get-names', 'getnames'],
  synopsis: SYNOPSIS,
  description: 'Get layer, image, or container name or names',
  minArgs: 1,
  maxArgs: 1,
  flags: [JSON_FLAG],
  run: async ({ store, streams, flags, args: [object = ''] }) => {
    const names = await store.objects.names(object);
    if (flags.boolean('--json')) printJson(streams, names);
    else streams.out(names.map((name) => `${name}\n`).join(''));
    return SUCCESS;
  },
};

export const addNamesCommand: CommandDefinition = namesCommand({
  names: ['add-names', 'addnames'],
  description: 'Add layer, image, or container name or names',
  flag: 'Name to add',
  change: async ({ store }, object, names) => await store.objects.addNames(object, names),
});

export const removeNamesCommand: CommandDefinition = namesCommand({
  names: ['remove-names', 'removenames'],
  description: 'Remove layer, image, or container name or names',
  flag: 'Name to remove',
  change: async ({ store }, object, names) => await store.objects.removeNames(object, names),
});

export const setNamesCommand: CommandDefinition = namesCommand({
  names: ['set-names', 'setnames'],
  description: 'Set layer, image, or container name or names',
  flag: 'New name',
  change: async ({ store }, object, names) => await store.objects.setNames(object, names),
});

interface NamesCommand {
  readonly names: CommandDefinition['names'];
  readonly description: string;
  readonly flag: string;
  change(context: CommandContext, object: string, names: readonly string[]): Promise<readonly string[]>;
}

/** Only the first argument counts: further ones are ignored. */
function namesCommand({ names, description, flag, change }: NamesCommand): CommandDefinition {
  return {
    names,
    synopsis: SYNOPSIS,
    description,
    minArgs: 1,
    maxArgs: undefined,
    flags: [nameFlag(flag), JSON_FLAG],
    run: async (context) => {
      const [object = ''] = context.args;
      const now = await change(context, object, context.flags.list('--name'));
      if (context.flags.boolean('--json')) printJson(context.streams, listOrNull(now));
      return SUCCESS;
    },
  };
}
