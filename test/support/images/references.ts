import { join } from 'node:path';
import { storeReference } from '../peers.ts';
import type { StoreRoot } from '../storeRoot.ts';

export const DESTINATIONS = ['docker-archive', 'oci', 'oci-archive', 'dir', 'containers-storage'] as const;
export type DestinationForm = (typeof DESTINATIONS)[number];

/** The path that {@link referenceIn} names. */
export function pathIn(store: StoreRoot, name: string): string {
  return join(store.path, name);
}

/** A reference of a form to something beside a store, or to an image in it. */
export function referenceIn(
  store: StoreRoot,
  form: DestinationForm,
  { path = 'copy', name }: { path?: string; name?: string } = {},
): string {
  if (form === 'containers-storage') return storeReference(store, name ?? '');
  const suffix = name === undefined || form === 'dir' ? '' : `:${name}`;
  return `${form}:${pathIn(store, path)}${suffix}`;
}
