import type { Store } from '@sediment/storage';

/** `GraphDriver` of `podman inspect`: where the driver keeps the layer. */
export interface GraphDriver {
  readonly Name: string;
  /** Null for a driver with nothing to tell (vfs), and for an image without layers. */
  readonly Data: Readonly<Record<string, string>> | null;
}

/** As podman: keys in alphabetical order, and `MergedDir` only while the layer is mounted. */
export async function graphDriver(
  store: Pick<Store, 'driver' | 'layers' | 'mounts'>,
  layer: string | undefined,
): Promise<GraphDriver> {
  if (layer === undefined) return { Name: store.driver, Data: null };
  const isMounted = (await store.mounts()).some((mount) => mount.layer === layer);
  const entries = Object.entries(await store.layers.driverMetadata(layer))
    .filter(([key]) => isMounted || key !== 'MergedDir')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { Name: store.driver, Data: entries.length === 0 ? null : Object.fromEntries(entries) };
}
