import type { ChangeKind } from '../drivers/diff/change.ts';
import { driverChanges, driverDiffSize } from '../drivers/diff/driverDiff.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { findPair } from './layerPair.ts';

/** A difference of one layer to another. */
export interface LayerChange {
  /** From the root of the layer, with a leading slash. */
  readonly path: string;
  readonly kind: ChangeKind;
}

/**
 * What differs in a layer from `from` (its parent, if absent, empty or, but for a base layer, unknown).
 *
 * @throws {StorageError} `LAYER_UNKNOWN`, `MOUNT_FAILED`, `IO`
 */
export async function layerChanges(
  context: StoreContext,
  idOrName: string,
  from: string | undefined,
): Promise<LayerChange[]> {
  return await context.layers.read((view) => {
    const { record, maps, base } = findPair(view, idOrName, from);
    const changes = driverChanges({ driver: context.driver, layer: { id: record.id, maps }, base });
    return changes.map(({ path, kind }) => ({ path: path.toString(), kind }));
  });
}

/** Bytes of the files in which a layer differs from `from`; see {@link layerChanges}. */
export async function layerDiffSize(
  context: StoreContext,
  idOrName: string,
  from: string | undefined,
): Promise<number> {
  return await context.layers.read((view) => measureLayer(context, view, idOrName, from));
}

/** {@link layerDiffSize} for those who hold the layers lock already. */
export function measureLayer(
  { driver }: StoreContext,
  view: TableView<LayerRecord>,
  idOrName: string,
  from?: string,
): number {
  const { record, maps, base } = findPair(view, idOrName, from);
  return driverDiffSize({ driver, layer: { id: record.id, maps }, base });
}
