import { removeContainer } from '../containers/deleteContainer.ts';
import { removeImageFiles } from '../images/deleteImage.ts';
import { withLayerRemover } from '../layers/layerRemover.ts';
import type { StoreContext } from '../store/storeContext.ts';

/**
 * Deletes a container, an image or a layer without asking who needs it; false when there is none of these.
 * All kinds are locked: between looking and deleting nothing may turn into something else.
 */
export async function deleteObject(context: StoreContext, idOrName: string): Promise<boolean> {
  return await withLayerRemover(context, async (remover) => {
    return await context.layers.write(async (layers) => {
      return await context.images.write(async (images) => {
        return await context.containers.write(async (containers) => {
          const container = containers.find(idOrName);
          if (container !== undefined) {
            await removeContainer({ context, layers, containers, remover, container });
            return true;
          }
          const image = images.find(idOrName);
          if (image !== undefined) {
            images.remove(image.id);
            await images.save();
            removeImageFiles(images, image.id);
            return true;
          }
          const layer = layers.find(idOrName);
          if (layer === undefined) return false;
          await remover.remove(layers, [layer]);
          return true;
        });
      });
    });
  });
}
