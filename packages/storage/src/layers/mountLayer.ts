import { StorageError } from '@sediment/core';
import { cleanUpAfterFailure } from '../drivers/cleanUpAfterFailure.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';

export interface MountLayerOptions {
  /** Mount options instead of the driver's `mountopt`. */
  readonly options?: readonly string[];
  readonly readOnly?: boolean;
}

/**
 * Mounts the layer that `find` picks and counts the mount in the file that all programs share; an
 * existing mount is used again. Returns the mount point. Lock order: storage, layers, mountpoints.
 */
export async function mountLayer(
  context: StoreContext,
  find: (view: TableView<LayerRecord>) => LayerRecord,
  options: MountLayerOptions = {},
): Promise<string> {
  const { driver, mountCounts } = context;
  return await context.storageLock.withWrite(async () => {
    return await context.layers.write(async (writer) => {
      const layer = find(writer);
      let fresh: string | undefined;
      const mounting = mountCounts.update(layer.id, (present) => {
        if (present !== undefined && present.count > 0 && driver.isMounted(present.path)) {
          return { ...present, count: present.count + 1 };
        }
        // A count without a mount is left from before a restart: counting starts anew.
        fresh = driver.get(layer.id, {
          ...(options.options === undefined ? {} : { options: [...options.options] }),
          ...(options.readOnly === undefined ? {} : { readOnly: options.readOnly }),
          ...(layer.mountLabel === undefined ? {} : { mountLabel: layer.mountLabel }),
        });
        return { id: layer.id, path: fresh, count: 1, unknown: {} };
      });
      const mounted = await mounting.catch((error: unknown) => {
        // A mount that is not counted would never be taken away.
        if (fresh !== undefined) cleanUpAfterFailure(fresh, context.onWarning, () => driver.put(layer.id));
        throw error;
      });
      if (mounted === undefined) throw new TypeError('a mounted layer has a mount count');
      return mounted.path;
    });
  });
}

/**
 * Takes one mount back, or with `force` all of them. Returns whether the layer is still mounted.
 *
 * @throws {StorageError} `LAYER_NOT_MOUNTED`
 */
export async function unmountLayer(
  context: StoreContext,
  find: (view: TableView<LayerRecord>) => LayerRecord,
  options: { force?: boolean } = {},
): Promise<boolean> {
  const { driver, mountCounts } = context;
  return await context.storageLock.withWrite(async (storage) => {
    return await context.layers.write(async (writer) => {
      const layer = find(writer);
      const left = await mountCounts.update(layer.id, (present) => {
        if (present === undefined) {
          // A program that was killed between mounting and counting leaves a mount without a count.
          const { MergedDir } = driver.metadata(layer.id);
          if (MergedDir === undefined || !driver.isMounted(MergedDir)) throw notMounted(layer.id);
        } else if (present.count > 1 && options.force !== true && driver.isMounted(present.path)) {
          return { ...present, count: present.count - 1 };
        }
        const releases = driver.homeReleases;
        // The count says that nobody uses the mount any more, whatever this process has asked for.
        driver.put(layer.id, { all: true });
        if (driver.homeReleases !== releases) storage.writeToken();
        return undefined;
      });
      return left !== undefined;
    });
  });
}

function notMounted(id: string): StorageError {
  return new StorageError('LAYER_NOT_MOUNTED', `layer ${id}: layer is not mounted`, {
    object: id,
    hint: 'mount it first',
  });
}
