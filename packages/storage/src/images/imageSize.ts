import { StorageError } from '@sediment/core';
import { measureLayer } from '../layers/layerChanges.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { Placed, TableView } from '../tables/recordTable.ts';
import { locateImage } from './findImage.ts';
import { imageItemSize } from './imageItems.ts';

/**
 * Bytes of all layers that the image stands on, those below its mapped copies included, each once, and of its
 * items.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, `LAYER_UNKNOWN`, `SIZE_UNKNOWN`
 */
export async function imageSize(context: StoreContext, idOrName: string): Promise<number> {
  return await context.layers.read(async (layers) => {
    const { items, tops } = await context.images.read((images) => {
      const { layer, mappedLayers, id, bigDataNames } = locateImage(images, idOrName).record;
      return {
        tops: [...(layer === undefined ? [] : [layer]), ...mappedLayers],
        items: bigDataNames.map((name) => imageItemSize(images, id, name)),
      };
    });
    let total = items.reduce((sum, size) => sum + size, 0);
    for (const layer of layersBelow(layers, tops)) total += sizeOf(context, layers, layer);
    return total;
  });
}

function layersBelow(view: TableView<LayerRecord>, tops: readonly string[]): Placed<LayerRecord>[] {
  const found = new Map<string, Placed<LayerRecord>>();
  const queue = [...tops];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (found.has(id)) continue;
    const layer = view.locateId(id);
    if (layer === undefined) throw missingLayer(id);
    found.set(id, layer);
    if (layer.record.parent !== undefined) queue.push(layer.record.parent);
  }
  return [...found.values()];
}

/** A recorded size counts only together with the digest of what was measured. */
function sizeOf(
  context: StoreContext,
  view: TableView<LayerRecord>,
  { record }: Placed<LayerRecord>,
): number {
  const { id, diffDigest, diffSize = 0 } = record;
  return diffDigest === undefined ? measureLayer(context, view, id) : diffSize;
}

function missingLayer(id: string): StorageError {
  return new StorageError('LAYER_UNKNOWN', `locating layer with ID "${id}": layer not known`, {
    object: id,
    hint: 'the image is damaged: remove it and import it again',
  });
}
