import { StorageError } from '@sediment/core';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import { findLayer } from './findLayer.ts';
import { withLayerRemover } from './layerRemover.ts';

/**
 * Deletes a layer that nothing needs. Images of which it was a mapped copy forget it.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`, `LAYER_HAS_CHILDREN`, `LAYER_USED_BY_IMAGE`, `LAYER_USED_BY_CONTAINER`
 */
export async function deleteLayer(context: StoreContext, idOrName: string): Promise<void> {
  const { layers, images, containers } = context;
  await withLayerRemover(context, async (remover) => {
    await layers.write(async (layerWriter) => {
      const layer = findLayer(layerWriter, idOrName);
      const children = layerWriter.all().filter((other) => other.parent === layer.id);
      refuseIfUsed(layer.id, 'LAYER_HAS_CHILDREN', 'layer', children);
      const remove = async ({ writers }: TableWriter<ImageRecord>) => {
        const users = writers.flatMap((writer) => writer.all().filter((image) => image.layer === layer.id));
        refuseIfUsed(layer.id, 'LAYER_USED_BY_IMAGE', 'image', users);
        const boxes = await containers.read((view) => view.all().filter((box) => box.layer === layer.id));
        refuseIfUsed(layer.id, 'LAYER_USED_BY_CONTAINER', 'container', boxes);
        await remover.remove(layerWriter, [layer]);
        for (const writer of writers) await forgetCopy(writer, layer);
      };
      await images.write(remove, { everyStore: true });
    });
  });
}

async function forgetCopy(writer: TableWriter<ImageRecord>, { id }: LayerRecord): Promise<void> {
  for (const image of writer.all().filter(({ mappedLayers }) => mappedLayers.includes(id))) {
    writer.put({ ...image, mappedLayers: image.mappedLayers.filter((copy) => copy !== id) });
  }
  await writer.save();
}

const USE_TEXT = {
  LAYER_HAS_CHILDREN: 'layer has children',
  LAYER_USED_BY_IMAGE: 'layer is in use by an image',
  LAYER_USED_BY_CONTAINER: 'layer is in use by a container',
} as const;

function refuseIfUsed(
  layerId: string,
  code: keyof typeof USE_TEXT,
  kind: string,
  users: readonly { readonly id: string }[],
): void {
  if (users.length === 0) return;
  const usedBy = users.map((user) => user.id);
  throw new StorageError(code, `layer ${layerId} used by ${kind} ${usedBy.join(', ')}: ${USE_TEXT[code]}`, {
    object: layerId,
    usedBy,
    hint: `delete the ${kind}${usedBy.length > 1 ? 's' : ''} first`,
  });
}
