import type { CommandContext, CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { booleanFlag, JSON_FLAG } from '../commandLine/flag.ts';
import { printJson } from '../output/json.ts';
import { namingFailures, shutDownAfterwards } from './failures.ts';

export const shutdownCommand: CommandDefinition = {
  names: ['shutdown'],
  synopsis: '',
  description: 'Shut down layer storage',
  minArgs: 0,
  maxArgs: 0,
  flags: [booleanFlag(['--force', '-f'], 'Unmount mounted layers first'), JSON_FLAG],
  run: async (context) => {
    const force = context.flags.boolean('--force');
    return await namingFailures(context, async () => {
      await context.store.shutdown({ force });
      printNothing(context);
    });
  },
};

export const wipeCommand: CommandDefinition = {
  names: ['wipe'],
  synopsis: '',
  description: 'Wipe all layers, images, and containers',
  minArgs: 0,
  maxArgs: 0,
  flags: [JSON_FLAG],
  run: async (context) =>
    await namingFailures(context, async () => {
      await context.store.wipe();
      printNothing(context);
    }),
};

export const gcCommand: CommandDefinition = {
  names: ['gc'],
  synopsis: '',
  description: 'Perform garbage collection',
  minArgs: 0,
  maxArgs: 0,
  flags: [JSON_FLAG],
  run: async (context) => {
    try {
      await context.store.collectGarbage();
      printNothing(context);
    } finally {
      await shutDownAfterwards(context);
    }
    return SUCCESS;
  },
};

/** What is printed as JSON by a command that has nothing to say. */
function printNothing({ streams, flags }: CommandContext): void {
  if (flags.boolean('--json')) printJson(streams, '');
}
