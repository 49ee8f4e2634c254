import { isStorageError, type Warning } from '@sediment/core';
import { shortId } from './shortId.ts';
import type { Terminal } from './terminal.ts';
import { printable, printableLines } from './text.ts';

/**
 * Prints why a command failed, and what can be done about it. An error that is not a `StorageError` is
 * a defect of this program: it is printed with its stack, for a report.
 */
export function reportError(terminal: Terminal, error: unknown): void {
  if (isStorageError(error)) {
    terminal.remark(`Error: ${printable(error.message)} [${error.code}]`);
    if (error.hint !== undefined) terminal.remark(`Hint: ${printable(error.hint)}`);
    return;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.remark(`Error: unexpected: ${printableLines(text)}`);
  terminal.remark('Hint: this is a defect of sediment: please report it with the lines above');
}

export function reportWarning(terminal: Terminal, { code, message }: Warning): void {
  terminal.remark(`Warning: ${printable(message)} [${code}]`);
}

/** Says which names an image got that another image had until now. */
export function reportTakenNames(terminal: Terminal, taken: readonly { name: string; from: string }[]): void {
  for (const { name, from } of taken) {
    const message = `the name ${name} was taken from image ${shortId(from)}`;
    reportWarning(terminal, { code: 'NAME_TAKEN', message, object: from });
  }
}
