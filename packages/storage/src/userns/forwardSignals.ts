import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;
const TYPED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * Hands the signals that this process gets on to a child, instead of obeying them, until it is disposed
 * of. What a person types at a terminal the child gets from the terminal itself; twice would mean
 * "at once" to many programs.
 */
export function forwardSignals(child: ChildProcess): Disposable {
  const forward = (signal: NodeJS.Signals) => {
    if (!(TYPED.includes(signal) && isInForeground())) child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  return {
    [Symbol.dispose]: () => {
      for (const signal of SIGNALS) process.removeListener(signal, forward);
    },
  };
}

/** Whether this process group is the one that the terminal sends typed signals to; see proc(5). */
function isInForeground(): boolean {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  // The name of the program, in parentheses, may hold anything.
  const [, , group, , , terminalGroup] = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  return group === terminalGroup;
}
