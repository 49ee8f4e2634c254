import type { ContainerRecord } from '../records/containerRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import { layersOfOtherMode } from '../store/otherMode.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { NamedRecord, Placed, TableView } from '../tables/recordTable.ts';

/** All records of a store at one moment, each id once, and what the driver has. */
export interface StoreRecords {
  readonly layers: ReadonlyMap<string, Placed<LayerRecord>>;
  readonly images: ReadonlyMap<string, Placed<ImageRecord>>;
  readonly containers: ReadonlyMap<string, Placed<ContainerRecord>>;
  /**
   * Ids of other layers with a record: those that are being made or removed, or were when a program died, and
   * those that are seen in a transient store only (or not in one).
   */
  readonly accounted: ReadonlySet<string>;
  /** Ids of all layers that the driver has for the writable store. */
  readonly driverLayers: readonly string[];
}

/**
 * Runs `fn` while nobody changes the records or the driver's layers. The storage lock keeps out programs
 * that try what the driver can do: they make directories in its home for a moment.
 */
export async function withStoreRecords<T>(
  context: StoreContext,
  fn: (records: StoreRecords) => T,
  signal?: AbortSignal,
): Promise<T> {
  const { layers, images, containers, driver, storageLock } = context;
  const waiting = signal === undefined ? {} : { signal };
  const read = async () =>
    await layers.read(async (layerView) => {
      const hidden = layerView.hidden().map(({ id }) => id);
      const accounted = new Set([...hidden, ...(await layersOfOtherMode(context))]);
      return await images.read(
        async (imageView) =>
          await containers.read(
            (containerView) =>
              fn({
                layers: byId(layerView),
                images: byId(imageView),
                containers: byId(containerView),
                accounted,
                driverLayers: driver.list(),
              }),
            waiting,
          ),
        waiting,
      );
    }, waiting);
  return context.access === 'snapshot' ? await read() : await storageLock.withRead(read, waiting);
}

/** Of an id that comes twice, the record of the writable store counts. */
function byId<R extends NamedRecord>(view: TableView<R>): Map<string, Placed<R>> {
  const found = new Map<string, Placed<R>>();
  for (const each of view.everywhere()) if (!found.has(each.record.id)) found.set(each.record.id, each);
  return found;
}
