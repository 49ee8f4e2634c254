import type { OpenStoreOptions, Store } from '@sediment/storage';
import type { Command } from 'commander';
import { reportWarning } from '../output/report.ts';
import type { Terminal } from '../output/terminal.ts';
import { type GlobalOptions, storeOptions } from './globalOptions.ts';

/**
 * Opens the store that a command's options select, prints its warnings, and closes it afterwards. The
 * storage package is loaded here, so that help and usage errors do without it.
 */
export async function withStore<T>(
  command: Command,
  terminal: Terminal,
  use: (store: Store) => Promise<T>,
  options: Pick<OpenStoreOptions, 'unpackSoon'> = {},
): Promise<T> {
  const { openStore } = await import('@sediment/storage');
  await using store = await openStore({
    ...storeOptions(command.optsWithGlobals<GlobalOptions>()),
    ...options,
    onWarning: (warning) => reportWarning(terminal, warning),
  });
  return await use(store);
}
