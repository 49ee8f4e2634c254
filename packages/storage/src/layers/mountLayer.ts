import { StorageError } from '@sediment/core';
import { cleanUpAfterFailure } from '../drivers/cleanUpAfterFailure.ts';
import type { MountOptions } from '../drivers/driver.ts';
import { IdMappings } from '../idmaps/idMappings.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView, TableWriter } from '../tables/recordTable.ts';

export interface MountLayerOptions {
  /** Mount options instead of the driver's `mountopt`. */
  readonly options?: readonly string[] | undefined;
  readonly readOnly?: boolean;
  /** SELinux context instead of the layer's. */
  readonly mountLabel?: string | undefined;
  /** Skip syncs; a crash of the host then costs the content. */
  readonly volatile?: boolean;
  /** Ids that the mount shall have; those of the layer if there are none. */
  readonly idMaps?: IdMappings;
}

type LayerPicker<V> = (view: V) => LayerRecord | Promise<LayerRecord>;

/**
 * Mounts the layer that `pick` chooses and counts the mount in the file that all programs share; an
 * existing mount is used again. Returns the mount point. Lock order: storage, layers, mountpoints.
 *
 * @throws {StorageError} `MOUNT_FAILED`; `NOT_SUPPORTED` for ids that neither layer nor driver have
 */
export async function mountLayer(
  context: StoreContext,
  pick: LayerPicker<TableWriter<LayerRecord>>,
  options: MountLayerOptions = {},
): Promise<string> {
  return await context.storageLock.withWrite(async () => {
    return await context.layers.write(
      async (writer) => await mountLocked(context, await pick(writer), options),
    );
  });
}

async function mountLocked(
  context: StoreContext,
  layer: LayerRecord,
  options: MountLayerOptions,
): Promise<string> {
  const { driver, mountCounts } = context;
  let fresh: string | undefined;
  const mounting = mountCounts.update(layer.id, (present) => {
    if (present !== undefined && present.count > 0 && driver.isMounted(present.path)) {
      return { ...present, count: present.count + 1 };
    }
    // A count without a mount is left from before a restart: counting starts anew.
    fresh = driver.get(layer.id, driverOptions(context, layer, options));
    return { id: layer.id, path: fresh, count: 1, unknown: {} };
  });
  const mounted = await mounting.catch((error: unknown) => {
    // A mount that is not counted would never be taken away.
    if (fresh !== undefined) cleanUpAfterFailure(fresh, context.onWarning, () => driver.put(layer.id));
    throw error;
  });
  if (mounted === undefined) throw new TypeError('a mounted layer has a mount count');
  return mounted.path;
}

function driverOptions(
  context: StoreContext,
  layer: LayerRecord,
  { options, readOnly = false, mountLabel = layer.mountLabel, volatile = false, ...rest }: MountLayerOptions,
): MountOptions {
  const idMaps = shiftedIds(context, layer, rest.idMaps);
  return {
    ...(options === undefined ? {} : { options }),
    readOnly,
    volatile,
    ...(mountLabel === undefined ? {} : { mountLabel }),
    ...(idMaps === undefined ? {} : { idMaps }),
  };
}

/** Ids that the driver has to show; none when the content has them. */
function shiftedIds(
  { driver }: StoreContext,
  layer: LayerRecord,
  wanted: IdMappings | undefined,
): IdMappings | undefined {
  if (wanted === undefined || wanted.isEmpty || wanted.equals(layer)) return undefined;
  if (driver.supports.shifting && IdMappings.of(layer).isEmpty) return wanted;
  throw new StorageError('NOT_SUPPORTED', `cannot mount layer ${layer.id}: shifting not enabled`, {
    object: layer.id,
    hint: 'make the container again: its layer then gets the ids',
  });
}

/**
 * Takes one mount back, or with `force` all of them. Returns whether the layer is still mounted.
 *
 * @throws {StorageError} `LAYER_NOT_MOUNTED`
 */
export async function unmountLayer(
  context: StoreContext,
  pick: LayerPicker<TableView<LayerRecord>>,
  options: { force?: boolean } = {},
): Promise<boolean> {
  const { driver, mountCounts } = context;
  return await context.storageLock.withWrite(async (storage) => {
    return await context.layers.write(async (writer) => {
      const layer = await pick(writer);
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

/** How often a layer is mounted: what is counted, as far as the kernel agrees. */
export async function mountCount({ mountCounts, driver }: StoreContext, layerId: string): Promise<number> {
  const counted = await mountCounts.get(layerId);
  return counted !== undefined && driver.isMounted(counted.path) ? counted.count : 0;
}

function notMounted(id: string): StorageError {
  return new StorageError('LAYER_NOT_MOUNTED', `layer ${id}: layer is not mounted`, {
    object: id,
    hint: 'mount it first',
  });
}
