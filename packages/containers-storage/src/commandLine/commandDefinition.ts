import type { Store } from '@sediment/storage';
import type { Streams } from '../output/streams.ts';
import type { Flag } from './flag.ts';
import type { FlagValues } from './flagValues.ts';
import type { GlobalOptions } from './globalOptions.ts';

/** What a command has to work with. */
export interface CommandContext {
  readonly store: Store;
  /** The command as it was typed, which may be an alias. */
  readonly name: string;
  readonly args: readonly string[];
  readonly flags: FlagValues;
  readonly streams: Streams;
  readonly global: GlobalOptions;
}

/** One command: how it is called, what help says about it, and what it does. */
export interface CommandDefinition {
  /** The main name, which the general help shows, and aliases. */
  readonly names: readonly [string, ...string[]];
  /** What follows the name in the usage line. */
  readonly synopsis: string;
  readonly description: string;
  readonly minArgs: number;
  /** Undefined: any number. Some commands ignore those that they do not need. */
  readonly maxArgs: number | undefined;
  readonly flags: readonly Flag[];
  /**
   * Returns the exit status. What it throws is printed on standard error as the Go command says it
   * (see `errorText`), and the exit status is 1.
   */
  run(context: CommandContext): Promise<number>;
}
