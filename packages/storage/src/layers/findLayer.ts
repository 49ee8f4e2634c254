import { StorageError } from '@sediment/core';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { Placed, TableView } from '../tables/recordTable.ts';
import { whyNotFound } from '../tables/whyNotFound.ts';

/**
 * A layer of the writable store by id, name or unique id prefix.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`
 */
export function findLayer(view: TableView<LayerRecord>, idOrName: string): LayerRecord {
  return view.find(idOrName) ?? unknownLayer(view, idOrName);
}

/**
 * The same in any store: the writable one first, then the additional ones.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`
 */
export function locateLayer(view: TableView<LayerRecord>, idOrName: string): Placed<LayerRecord> {
  return view.locate(idOrName) ?? unknownLayer(view, idOrName);
}

function unknownLayer(view: TableView<LayerRecord>, idOrName: string): never {
  const { reason, hint } = whyNotFound(view, idOrName, 'list the layers of the store with "sediment layers"');
  throw new StorageError('LAYER_UNKNOWN', `layer "${idOrName}": layer not known${reason}`, {
    object: idOrName,
    hint,
  });
}
