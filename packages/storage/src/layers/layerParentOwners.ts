import { StorageError } from '@sediment/core';
import { IdMappings } from '../idmaps/idMappings.ts';
import { NO_OWNERS, type ParentOwners, parentOwners } from '../idmaps/parentOwners.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { findLayer } from './findLayer.ts';

/**
 * The owners of the directories above a layer's mount point that its maps cannot express.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`; `LAYER_NOT_MOUNTED` for a layer with maps
 */
export async function layerParentOwners(
  { mountCounts }: StoreContext,
  layers: TableView<LayerRecord>,
  idOrName: string,
): Promise<ParentOwners> {
  const layer = findLayer(layers, idOrName);
  if (IdMappings.of(layer).isEmpty) return NO_OWNERS;
  const mount = await mountCounts.get(layer.id);
  if (mount !== undefined) return parentOwners(mount.path, layer);
  throw new StorageError('LAYER_NOT_MOUNTED', `layer ${layer.id}: layer is not mounted`, {
    object: layer.id,
    hint: 'mount it first',
  });
}
