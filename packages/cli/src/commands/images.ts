import type { Command } from 'commander';
import { addListingOptions, type ListingOptions } from '../commandLine/listingOptions.ts';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import { imageListing, listImages } from '../listings/imageListing.ts';
import { keptBlobsById } from '../listings/keptBlobs.ts';
import { printListing } from '../listings/listing.ts';
import type { Terminal } from '../output/terminal.ts';

export function imagesCommand(terminal: Terminal): Command {
  return addListingOptions(
    newCommand('images', 'List the images of the store, newest first', [
      ['sediment images', 'a line for each name of each image'],
      ["sediment images --format json | jq '.[].names'", 'the names of all images'],
    ]),
  ).action(async (options: ListingOptions, command: Command) => {
    const rows = await withStore(command, terminal, async (store) => {
      return await listImages(store, options.format === 'json' ? await keptBlobsById(store) : undefined);
    });
    printListing(terminal, rows, imageListing(Date.now()), options);
  });
}
