import type { LayerRecord } from '../records/layerRecord.ts';
import { listDirectory } from '../store/removeTempFiles.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';

const BESIDE_RECORDS = /^([0-9a-f]{64})(?:\.tar-split\.gz)?$/;

/**
 * Ids under which something is kept though no record has them: trees of the driver, and files beside the
 * records. Call it under the layers lock.
 */
export function unrecordedLayers({ driver, paths }: StoreContext, view: TableView<LayerRecord>): string[] {
  const known = new Set([...view.all(), ...view.hidden()].map(({ id }) => id));
  const beside = listDirectory(paths.layers).flatMap((name) => BESIDE_RECORDS.exec(name)?.[1] ?? []);
  return [...new Set([...driver.list(), ...beside])].filter((id) => !known.has(id));
}
