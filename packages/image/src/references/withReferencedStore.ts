import { existsSync, realpathSync } from 'node:fs';
import type { WarningHandler } from '@sediment/core';
import { openStore, type Store } from '@sediment/storage';
import { formatImageReference } from './imageReference.ts';
import type { StoreReference } from './storeReference.ts';

export interface ReferencedStoreOptions {
  /** The store of references that name none. */
  readonly store?: Store | undefined;
  readonly onWarning?: WarningHandler | undefined;
}

/**
 * Does something with the store that a reference means: one that it names is opened, and closed afterwards.
 *
 * @throws {StorageError} as `openStore`
 * @throws {TypeError} if the reference names none and none is given
 */
export async function withReferencedStore<T>(
  reference: StoreReference,
  { store, onWarning }: ReferencedStoreOptions,
  fn: (store: Store) => Promise<T>,
): Promise<T> {
  const { store: spec } = reference;
  if (spec === undefined) {
    if (store !== undefined) return await fn(store);
    throw new TypeError(`option "store" is missing, in which ${formatImageReference(reference)} is`);
  }
  if (store !== undefined && isSame(store, spec)) return await fn(store);
  const { graphRoot, runRoot, driver, options } = spec;
  await using opened = await openStore({
    graphRoot,
    ...(runRoot === undefined ? {} : { runRoot }),
    ...(driver === undefined ? {} : { driver }),
    driverOptions: options,
    imageStore: '',
    // Who asked for a policy asked for it in all stores; what a storage.conf says is for its own.
    ...(store?.durability.source === 'option' ? { durability: store.durability.policy } : {}),
    ...(onWarning === undefined ? {} : { onWarning }),
  });
  return await fn(opened);
}

/** A second opening of the same directories in one process would do no harm, but take time. */
function isSame(
  store: Store,
  { graphRoot, runRoot, driver, options }: NonNullable<StoreReference['store']>,
): boolean {
  if (options.length > 0 || (driver !== undefined && driver !== store.driver)) return false;
  return (
    isOnePlace(store.graphRoot, graphRoot) && (runRoot === undefined || isOnePlace(store.runRoot, runRoot))
  );
}

function isOnePlace(known: string, other: string): boolean {
  return existsSync(other) && realpathSync(known) === realpathSync(other);
}
