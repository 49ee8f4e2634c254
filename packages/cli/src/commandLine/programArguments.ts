import type { Command } from 'commander';

/** The command whose arguments are another program's, options and all. */
const RUNS_PROGRAM = 'unshare';

/**
 * Marks where the command line of another program begins (`sediment unshare ls -l`), so that its options
 * are not taken for ours.
 */
export function markProgramArguments(program: Command, args: readonly string[]): string[] {
  const at = commandPosition(program, args);
  const next = args[at + 1];
  if (args[at] !== RUNS_PROGRAM || next === undefined || ['--', '-h', '--help'].includes(next))
    return [...args];
  return [...args.slice(0, at + 1), '--', ...args.slice(at + 1)];
}

/** Where the name of the command stands: after the options before it and their values. */
function commandPosition(program: Command, args: readonly string[]): number {
  let at = 0;
  while (args[at]?.startsWith('-')) {
    const option = program.options.find(({ long, short }) => [long, short].includes(args[at]));
    at += option?.required === true ? 2 : 1;
  }
  return at;
}
