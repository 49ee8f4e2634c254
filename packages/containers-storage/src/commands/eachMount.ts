import type { CommandContext } from '../commandLine/commandDefinition.ts';
import { FAILURE, SUCCESS } from '../commandLine/exitStatus.ts';
import { printJson } from '../output/json.ts';
import { mountErrorText } from './mountErrorText.ts';

/**
 * Does something with each argument, and says in the end which ones failed. Neither failures nor `--json`
 * keep `act` from printing.
 *
 * @param complain a line about the argument that failed
 */
export async function eachMount(
  { streams, flags, args }: CommandContext,
  complain: (error: string, arg: string) => string,
  act: (arg: string) => Promise<void>,
): Promise<number> {
  const results: { readonly id: string; readonly error: string }[] = [];
  for (const id of args) {
    try {
      await act(id);
      results.push({ id, error: '' });
    } catch (error) {
      results.push({ id, error: mountErrorText(error) });
    }
  }
  const failed = results.filter(({ error }) => error !== '');
  if (flags.boolean('--json')) printJson(streams, results);
  else for (const { id, error } of failed) streams.err(`${complain(error, id)}\n`);
  return failed.length === 0 ? SUCCESS : FAILURE;
}
