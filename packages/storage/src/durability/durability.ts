import { StorageError } from '@sediment/core';

/** The policies, from the weakest on; see docs/durability.md for what each promises. */
export const DURABILITIES = ['none', 'ordered', 'full'] as const;

/**
 * What a crash of the host may cost. `none`: layers whose content was not written yet, although their records are there
 * (the default of containers/storage). `ordered`: what was done last, but whatever is there is whole. `full`: nothing
 * of what had returned.
 */
export type Durability = (typeof DURABILITIES)[number];

/** A policy and why it is in force. */
export interface ChosenDurability {
  readonly policy: Durability;
  /** `option`, `default`, or where a driver option `sync` came from: a file's path or `STORAGE_OPTS`. */
  readonly source: string;
  /** Write whole file systems to the disk and not files one by one: `sync=filesystem` was asked for. */
  readonly wholeFileSystem: boolean;
}

/**
 * A policy that was given as text.
 *
 * @throws {StorageError} `CONFIG_INVALID` with the allowed words
 */
export function checkDurability(text: string): Durability {
  const known = DURABILITIES.find((policy) => policy === text);
  if (known !== undefined) return known;
  const expected = DURABILITIES.map((policy) => `"${policy}"`).join(', ');
  throw new StorageError('CONFIG_INVALID', `durability ${JSON.stringify(text)} is not known`, {
    object: 'durability',
    expected,
    actual: text,
    hint: `it must be one of ${expected}`,
  });
}
