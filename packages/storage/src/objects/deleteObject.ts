import { dropKeptBlobs } from '../blobs/followStore.ts';
import { type RemoveContainerRequest, removeContainer } from '../containers/deleteContainer.ts';
import { removeImageFiles } from '../images/deleteImage.ts';
import { withLayerRemover } from '../layers/layerRemover.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { findRecord } from '../tables/findRecord.ts';
import type { TableWriter } from '../tables/recordTable.ts';

/**
 * Deletes a container, an image or a layer without asking who needs it; false when there is none of these.
 * All kinds are locked: between looking and deleting nothing may turn into something else.
 */
export async function deleteObject(context: StoreContext, idOrName: string): Promise<boolean> {
  const { layers, images, containers } = context;
  const deletedImages: string[] = [];
  const found = await withLayerRemover(context, async (remover) => {
    return await layers.write(async (layerWriter) => {
      const inImages = async (imageWriter: TableWriter<ImageRecord>) => {
        return await containers.write(async (containerWriter) => {
          const tables = { context, remover, layers: layerWriter, containers: containerWriter };
          return (
            (await deleteContainerOf(tables, idOrName)) ||
            (await deleteImageOf(imageWriter, idOrName, deletedImages)) ||
            (await deleteLayerOf(tables, idOrName))
          );
        });
      };
      return await images.write(inImages, { everyStore: true });
    });
  });
  await dropKeptBlobs(context, deletedImages);
  return found;
}

type Tables = Omit<RemoveContainerRequest, 'container'>;

async function deleteContainerOf(tables: Tables, idOrName: string): Promise<boolean> {
  const container = tables.containers.find(idOrName);
  if (container === undefined) return false;
  await removeContainer({ ...tables, container });
  return true;
}

/** @param deleted gets the id of the image */
async function deleteImageOf(
  images: TableWriter<ImageRecord>,
  idOrName: string,
  deleted: string[],
): Promise<boolean> {
  const found = findRecord(images, idOrName);
  if (found === undefined) return false;
  const { writer, record } = found;
  writer.remove(record.id);
  await writer.save();
  deleted.push(record.id);
  removeImageFiles(writer, record.id);
  return true;
}

async function deleteLayerOf({ layers, remover }: Tables, idOrName: string): Promise<boolean> {
  const layer = layers.find(idOrName);
  if (layer === undefined) return false;
  await remover.remove(layers, [layer]);
  return true;
}
