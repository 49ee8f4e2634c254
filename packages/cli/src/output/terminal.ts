import type { WriteStream } from 'node:tty';

/** Where a command prints. Results go to standard output, everything else to standard error. */
export interface Terminal {
  /** Prints a part of the result. */
  print(text: string): void;
  /** Prints a line for a person who watches: warnings, errors, notes. */
  remark(line: string): void;
  /** Set where a program watches instead: warnings and errors go there, and not to `remark`. */
  tell?(record: { readonly type: string; readonly [key: string]: unknown }): void;
  /** Width of standard output, if it is a terminal. */
  readonly columns: number | undefined;
  /** Where progress may be drawn: standard error, if it is a terminal that can move its cursor. */
  readonly screen: WriteStream | undefined;
}

/** The terminal, pipe or file that this process prints to. */
export function processTerminal(): Terminal {
  guardStandardOutput();
  guardStandardError();
  return {
    print: (text) => void process.stdout.write(text),
    remark: (line) => void process.stderr.write(`${line}\n`),
    get columns() {
      return process.stdout.isTTY ? process.stdout.columns : undefined;
    },
    screen: process.stderr.isTTY && process.env.TERM !== 'dumb' ? process.stderr : undefined,
  };
}

/** Nobody is left to be told of a failure to tell; the command goes on to its end. */
function guardStandardError(): void {
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = 1;
  });
}

/**
 * A reader that has seen enough (`sediment images | head -1`) is no failure, and a command that changes
 * the store goes on to its end. Output that cannot be written for another reason is one.
 */
function guardStandardOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`Error: writing the output: ${error.message}\n`);
    process.exitCode = 1;
  });
}
