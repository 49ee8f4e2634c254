import type { ListingOptions } from '../commandLine/listingOptions.ts';
import { formatJson } from '../output/json.ts';
import { shortId } from '../output/shortId.ts';
import { type Column, formatTable } from '../output/table.ts';
import type { Terminal } from '../output/terminal.ts';

/** How a kind of object is listed. A `Row` is what `--format json` prints. */
export interface Listing<Row extends { readonly id: string }> {
  readonly columns: readonly Column[];
  /** The lines of one object in the table; `id` shortens an id, if that is wanted. */
  readonly cells: (row: Row, id: (text: string) => string) => readonly (readonly string[])[];
}

export function printListing<Row extends { readonly id: string }>(
  terminal: Terminal,
  rows: readonly Row[],
  listing: Listing<Row>,
  options: ListingOptions,
): void {
  if (options.quiet) printIds(terminal, rows);
  else if (options.format === 'json') terminal.print(formatJson(rows));
  else terminal.print(listingTable(rows, listing, options.trunc ? terminal : undefined));
}

export function printIds(terminal: Terminal, rows: readonly { readonly id: string }[]): void {
  terminal.print(rows.map(({ id }) => `${id}\n`).join(''));
}

/** The table of a listing; without a terminal to fit into, everything is in full. */
function listingTable<Row extends { readonly id: string }>(
  rows: readonly Row[],
  { columns, cells }: Listing<Row>,
  terminal: Terminal | undefined,
): string {
  const id = terminal === undefined ? (text: string) => text : shortId;
  const lines = rows.flatMap((row) => cells(row, id));
  return formatTable(columns, lines, terminal?.columns);
}
