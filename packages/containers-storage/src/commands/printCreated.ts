import type { CommandContext } from '../commandLine/commandDefinition.ts';
import { printJson } from '../output/json.ts';

/** Prints what a command has created: its id and names, or its record. */
export function printCreated(
  { streams, flags }: CommandContext,
  { id, names }: { readonly id: string; readonly names: readonly string[] },
  record: unknown,
): void {
  if (flags.boolean('--json')) printJson(streams, record);
  else streams.out(`${id}\n${names.map((name) => `\t${name}\n`).join('')}`);
}
