import type { Command } from 'commander';
import { addListingOptions, type ListingOptions } from '../commandLine/listingOptions.ts';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import { containerListing, listContainers } from '../listings/containerListing.ts';
import { printListing } from '../listings/listing.ts';
import type { Terminal } from '../output/terminal.ts';

export function containersCommand(terminal: Terminal): Command {
  return addListingOptions(
    newCommand('containers', 'List the containers of the store, newest first, whichever program made them', [
      ['sediment containers', 'every container with its image'],
      ['sediment containers --quiet', 'the ids, one per line'],
    ]),
  ).action(async (options: ListingOptions, command: Command) => {
    const rows = await withStore(command, terminal, listContainers);
    printListing(terminal, rows, containerListing(Date.now()), options);
  });
}
