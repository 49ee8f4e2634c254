import type { Command } from 'commander';
import { addListingOptions, type ListingOptions } from '../commandLine/listingOptions.ts';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import { layerListing, listLayers } from '../listings/layerListing.ts';
import { printIds, printListing } from '../listings/listing.ts';
import type { Terminal } from '../output/terminal.ts';

export function layersCommand(terminal: Terminal): Command {
  return addListingOptions(
    newCommand('layers', 'List the layers of the store, in the order of their creation', [
      ['sediment layers', 'every layer with its parent and what it is the top of'],
      ["sediment layers --format json | jq '[.[].diffSize] | add'", 'bytes of all layers'],
    ]),
  ).action(async (options: ListingOptions, command: Command) => {
    if (options.quiet) {
      printIds(terminal, await withStore(command, terminal, (store) => store.layers.listNames()));
    } else {
      const { rows, namesById } = await withStore(command, terminal, listLayers);
      printListing(terminal, rows, layerListing(Date.now(), namesById), options);
    }
  });
}
