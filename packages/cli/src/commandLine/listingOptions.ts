import type { Command } from 'commander';
import { formatOption } from './newCommand.ts';

/** Options that all listings have. */
export interface ListingOptions {
  readonly format: 'table' | 'json';
  /** False: print everything in full, however wide the lines get. */
  readonly trunc: boolean;
  readonly quiet?: boolean;
}

export function addListingOptions(command: Command): Command {
  return command
    .addOption(formatOption())
    .option('--no-trunc', 'print ids and names in full')
    .option('-q, --quiet', 'print full ids only');
}
