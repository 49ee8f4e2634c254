import { reportError } from '../output/report.ts';
import type { Terminal } from '../output/terminal.ts';
import { ExitStatus, FAILURE } from './exitStatus.ts';

/**
 * Does the same for each of several arguments. One that fails is reported and does not keep the others
 * from being done; the command then fails in the end.
 */
export async function eachArgument(
  terminal: Terminal,
  args: readonly string[],
  fn: (arg: string) => Promise<void>,
): Promise<void> {
  let failed = false;
  for (const arg of args) {
    try {
      await fn(arg);
    } catch (error) {
      reportError(terminal, error);
      failed = true;
    }
  }
  if (failed) throw new ExitStatus(FAILURE);
}
