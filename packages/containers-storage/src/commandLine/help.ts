import type { Streams } from '../output/streams.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import type { Flag } from './flag.ts';
import { optionsTable } from './optionsTable.ts';

/** Where the flags are listed: with the rest if help was asked for, else beside it on standard error. */
type TableStream = 'out' | 'err';

export function printGeneralHelp(
  streams: Streams,
  commands: readonly CommandDefinition[],
  flags: readonly Flag[],
  table: TableStream,
): void {
  const lines = commands.map(({ names: [name], description }) => `  ${name.padEnd(30)}${description}\n`);
  streams.out(
    `Usage: containers-storage command [options [...]]\n\nCommands:\n\n${lines.join('')}\nOptions:\n`,
  );
  streams[table](optionsTable(flags));
}

/** @param name the command as it was typed */
export function printCommandHelp(
  streams: Streams,
  name: string,
  { synopsis, description }: CommandDefinition,
  flags: readonly Flag[],
): void {
  streams.out(`Usage: containers-storage ${name} ${synopsis}\n\n${description}\n\nOptions:\n`);
  streams.err(optionsTable(flags));
}

/** Where to look after a flag error. `program` is the path by which this program was called. */
export function seeLine(program: string, what: string): string {
  return `See '${program === what ? what : `${program} ${what}`} --help'.\n`;
}
