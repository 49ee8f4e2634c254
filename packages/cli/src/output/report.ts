import { isStorageError, type Warning } from '@sediment/core';
import { shortId } from './shortId.ts';
import type { Terminal } from './terminal.ts';
import { printable, printableLines } from './text.ts';

/**
 * Prints why a command failed, and what can be done about it. An error that is not a `StorageError` is
 * a defect of this program: it is printed with its stack, for a report.
 */
export function reportError(terminal: Terminal, error: unknown): void {
  if (terminal.tell !== undefined) {
    terminal.tell({ type: 'error', ...errorFacts(error) });
  } else if (isStorageError(error)) {
    terminal.remark(`Error: ${printable(error.message)} [${error.code}]`);
    if (error.hint !== undefined) terminal.remark(`Hint: ${printable(error.hint)}`);
  } else {
    terminal.remark(`Error: unexpected: ${printableLines(stackOf(error))}`);
    terminal.remark('Hint: this is a defect of sediment: please report it with the lines above');
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function errorFacts(error: unknown): Readonly<Record<string, unknown>> {
  if (isStorageError(error)) return { code: error.code, message: error.message, hint: error.hint ?? null };
  return { code: null, message: stackOf(error), hint: null };
}

export function reportWarning(terminal: Terminal, { code, message }: Warning): void {
  if (terminal.tell !== undefined) terminal.tell({ type: 'warning', code, message });
  else terminal.remark(`Warning: ${printable(message)} [${code}]`);
}

/** Says which names an image got that another image had until now. */
export function reportTakenNames(terminal: Terminal, taken: readonly { name: string; from: string }[]): void {
  for (const { name, from } of taken) {
    const message = `the name ${name} was taken from image ${shortId(from)}`;
    reportWarning(terminal, { code: 'NAME_TAKEN', message, object: from });
  }
}
