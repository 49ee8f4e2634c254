import type { Command } from 'commander';
import { addListingOptions, type ListingOptions } from '../../commandLine/listingOptions.ts';
import { newCommand } from '../../commandLine/newCommand.ts';
import { withStore } from '../../commandLine/withStore.ts';
import { blobsTable, listBlobs } from '../../listings/blobListing.ts';
import { formatJson } from '../../output/json.ts';
import type { Terminal } from '../../output/terminal.ts';

export function blobsListCommand(terminal: Terminal): Command {
  return addListingOptions(
    newCommand('list', 'List kept blobs, the largest first', [
      ['sediment blobs list', 'digest, size, kind and owners of each blob'],
      ["sediment blobs list --format json | jq 'map(.size) | add'", 'how many bytes they take'],
    ]),
  ).action(async ({ quiet, format, trunc }: ListingOptions, command: Command) => {
    const { rows, namesById } = await withStore(command, terminal, listBlobs);
    if (quiet) terminal.print(rows.map(({ digest }) => `${digest}\n`).join(''));
    else if (format === 'json') terminal.print(formatJson(rows));
    else {
      const fit = trunc ? { width: terminal.columns } : undefined;
      terminal.print(blobsTable(rows, { namesById, now: Date.now(), fit }));
    }
  });
}
