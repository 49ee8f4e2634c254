import { StorageError } from '@sediment/core';
import { readItemFile, refuseEmptyItemName, writeItemFile } from '../items/itemFile.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { LayerItem } from './createLayerRequest.ts';
import { findLayer, locateLayer } from './findLayer.ts';

/**
 * A document kept with a layer, from the first store that has it.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`, `BIG_DATA_UNKNOWN`
 */
export async function readLayerItem(context: StoreContext, idOrName: string, name: string): Promise<Buffer> {
  return await context.layers.read((view) => {
    const { id } = locateLayer(view, idOrName).record;
    for (const placed of view.everywhere()) {
      if (placed.record.id !== id) continue;
      const bytes = readItemFile(placed.paths.layerItem(id, name), { kind: 'layer', id });
      if (bytes !== undefined) return bytes;
    }
    throw new StorageError(
      'BIG_DATA_UNKNOWN',
      `locating item named "${name}" for layer with ID "${idOrName}": file does not exist`,
      { object: idOrName, path: view.paths.layerItem(id, name), hint: 'list the items of the layer' },
    );
  });
}

/**
 * Sets a document, replacing the one of that name. The file comes first, then the record that names it.
 *
 * @throws {StorageError} `BIG_DATA_NAME_INVALID`, `LAYER_UNKNOWN`
 */
export async function setLayerItem(context: StoreContext, idOrName: string, item: LayerItem): Promise<void> {
  refuseEmptyItemName(item.name, 'set empty name for layer big data item');
  await context.layers.write(async (writer) => {
    const layer = findLayer(writer, idOrName);
    await writeLayerItem(context, layer.id, item);
    if (layer.bigDataNames.includes(item.name)) return;
    writer.put({ ...layer, bigDataNames: [...layer.bigDataNames, item.name] } satisfies LayerRecord);
    await writer.save();
  });
}

/** Writes the file of an item; the record that names it is the caller's. */
export async function writeLayerItem(
  { paths, disk }: StoreContext,
  layerId: string,
  item: LayerItem,
): Promise<void> {
  refuseEmptyItemName(item.name, 'set empty name for layer big data item');
  await writeItemFile(paths.layerItem(layerId, item.name), item.bytes, {
    owner: { kind: 'layer', id: layerId },
    name: item.name,
    disk,
  });
}
