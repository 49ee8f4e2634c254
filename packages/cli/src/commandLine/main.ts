import { type Command, CommanderError } from 'commander';
import { reportError } from '../output/report.ts';
import { processTerminal, type Terminal } from '../output/terminal.ts';
import { printableLines } from '../output/text.ts';
import { ExitStatus, FAILURE, USAGE_ERROR } from './exitStatus.ts';
import { createProgram } from './program.ts';
import { markProgramArguments } from './programArguments.ts';

/**
 * Runs a command line and returns its exit status.
 *
 * @param args without the program's name
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  const program = createProgram(terminal);
  try {
    await program.parseAsync(markProgramArguments(program, args), { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ExitStatus) return error.status;
    if (error instanceof CommanderError) return reportUsage(terminal, error, commandIn(program, args));
    reportError(terminal, error);
    return FAILURE;
  }
}

/** Help and `--version` end the parsing like errors do, with status 0. */
function reportUsage(terminal: Terminal, error: CommanderError, command: string): number {
  if (error.exitCode === 0) return 0;
  // no command at all: the help was printed
  if (error.code === 'commander.help') return USAGE_ERROR;
  terminal.remark(`Error: ${printableLines(error.message.replace(/^error: /, ''))}`);
  terminal.remark(`Hint: see "${command} --help"`);
  return USAGE_ERROR;
}

/** The command that a wrong command line seems to mean, for the hint. */
function commandIn(program: Command, args: readonly string[]): string {
  const names = program.commands.flatMap((command) => [command.name(), ...command.aliases()]);
  const name = args.find((arg) => names.includes(arg));
  return name === undefined ? 'sediment' : `sediment ${name}`;
}
