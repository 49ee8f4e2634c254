import type { CommandContext } from '../commandLine/commandDefinition.ts';
import { FAILURE, SUCCESS } from '../commandLine/exitStatus.ts';
import { CommandError } from '../errors/commandError.ts';
import { errorText } from '../errors/errorText.ts';
import { printJson } from '../output/json.ts';

/**
 * Runs a command whose failures begin with its name. With `--json` a failure is printed as the Go command
 * prints an error in JSON: an empty object.
 */
export async function namingFailures(context: CommandContext, run: () => Promise<void>): Promise<number> {
  const { streams, flags, name } = context;
  try {
    await run();
    return SUCCESS;
  } catch (error) {
    if (!flags.boolean('--json')) throw new CommandError(`${name}: ${errorText(error)}`);
    printJson(streams, {});
    return FAILURE;
  }
}

/** Shuts the store down, by force, when a command is done; a failure is told and changes nothing. */
export async function shutDownAfterwards({ store, streams }: CommandContext): Promise<void> {
  try {
    await store.shutdown({ force: true });
  } catch (error) {
    streams.err(`shutdown: ${errorText(error)}\n`);
  }
}
