import { StorageError } from '@sediment/core';
import type { MountpointRecord } from '../records/mountpointRecord.ts';
import type { StoreContext } from './storeContext.ts';

export interface ShutDownOptions {
  /** Unmount what is mounted, whoever uses it. */
  readonly force?: boolean;
}

/**
 * Gives back what the driver keeps for the host, such as the private mount of its home, whichever program made
 * it, and tells other programs by the storage lock's token to make their own again. The store can be used
 * further.
 *
 * @throws {StorageError} `LAYERS_MOUNTED` when a layer was mounted; as upstream that is an error even when
 *   `force` has unmounted it, so that the next call is the one that shuts down
 */
export async function shutDown(context: StoreContext, { force = false }: ShutDownOptions): Promise<void> {
  const { storageLock, layers, driver } = context;
  await storageLock.withWrite(async (storage) => {
    await layers.write(async () => {
      const mounted = await mountedLayers(context);
      if (force) for (const { id } of mounted) await unmountFully(context, id);
      if (mounted.length > 0) throw layersMounted(mounted, force);
      storage.writeToken();
      driver.close({ everyones: true });
    });
  });
}

/** A count without a mount is left from before a restart, or of a mount that was taken away by hand. */
async function mountedLayers({ mountCounts, driver }: StoreContext): Promise<MountpointRecord[]> {
  const counted = await mountCounts.list();
  return counted.filter(({ path }) => driver.isMounted(path));
}

async function unmountFully({ mountCounts, driver }: StoreContext, id: string): Promise<void> {
  await mountCounts.update(id, () => {
    driver.put(id, { all: true });
    return undefined;
  });
}

function layersMounted(mounted: readonly MountpointRecord[], unmounted: boolean): StorageError {
  const usedBy = mounted.map(({ id }) => id);
  return new StorageError('LAYERS_MOUNTED', 'a layer is mounted: layer is in use by a container', {
    usedBy,
    hint: unmounted
      ? `unmounted now: ${usedBy.join(', ')}; shut down again`
      : 'unmount the containers first, or shut down with force',
  });
}
