import type { CopiedImage } from '@sediment/image';
import { describeCopy } from './copyText.ts';
import { formatJson } from './json.ts';
import type { Terminal } from './terminal.ts';

export interface PrintCopiesOptions {
  readonly quiet?: boolean;
  readonly json?: boolean;
  /** Such as `Copied`, `Exported`. */
  readonly verb: string;
  /** Where the images are now, with the word before it. */
  readonly place: string;
  /** Standard output holds the images themselves: then the result goes to standard error. */
  readonly isPiped: boolean;
}

/** Prints what a copy or an export has done. */
export function printCopies(
  terminal: Terminal,
  copies: readonly CopiedImage[],
  { quiet, json, verb, place, isPiped }: PrintCopiesOptions,
): void {
  const lines = quiet
    ? copies.map(({ manifestDigest }) => manifestDigest)
    : copies.map((copied) => describeCopy(copied, verb, place));
  const text = json ? formatJson(copies.map(copyJson)) : lines.map((line) => `${line}\n`).join('');
  if (!isPiped) terminal.print(text);
  else if (text !== '') terminal.remark(text.replace(/\n$/, ''));
}

/** An image as `--json` prints it. */
function copyJson({ id, manifestDigest, sourceDigest, names, layers }: CopiedImage): unknown {
  return {
    id: id ?? null,
    manifestDigest,
    sourceDigest: sourceDigest ?? null,
    names,
    layers: layers.map(({ digest, size, copied }) => ({ digest, size, copied })),
  };
}
