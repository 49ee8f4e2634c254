import { rmSync } from 'node:fs';
import { StorageError, wrapSystemError } from '@sediment/core';
import { withLayerRemover } from '../layers/layerRemover.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { findImage } from './findImage.ts';

interface Others {
  readonly layers: TableView<LayerRecord>;
  readonly images: TableView<ImageRecord>;
  readonly containers: TableView<ContainerRecord>;
}

/**
 * Deletes an image with all its names, and then each of its layers that nothing else needs. Returns
 * the ids of the deleted layers, top first.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, `IMAGE_USED_BY_CONTAINER` (with the containers in `usedBy`)
 */
export async function deleteImage(context: StoreContext, idOrName: string): Promise<readonly string[]> {
  return await withLayerRemover(context, async (remover) => {
    return await context.layers.write(async (layers) => {
      return await context.images.write(async (images) => {
        return await context.containers.read(async (containers) => {
          const image = findImage(images, idOrName);
          refuseIfUsed(image, containers);
          const doomed = layersOnlyOf(image, { layers, images, containers });
          images.remove(image.id);
          await images.save();
          await remover.remove(layers, doomed);
          removeDocuments(context, image.id);
          return doomed.map((layer) => layer.id);
        });
      });
    });
  });
}

/** Last, since what stays of them does no harm: the next opener removes it. */
function removeDocuments({ paths }: StoreContext, imageId: string): void {
  const path = paths.imageData(imageId);
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    throw wrapSystemError(error, `removing ${path} of image ${imageId}`, 'IO', { path, object: imageId });
  }
}

function refuseIfUsed(image: ImageRecord, containers: TableView<ContainerRecord>): void {
  const users = containers.all().filter((container) => container.image === image.id);
  if (users.length === 0) return;
  const usedBy = users.map((container) => container.id);
  const named = users.map(({ id, names }) => (names.length === 0 ? id : `${id} (${names[0]})`));
  throw new StorageError(
    'IMAGE_USED_BY_CONTAINER',
    `image ${image.id} used by ${named.join(', ')}: image is in use by a container`,
    {
      object: image.id,
      usedBy,
      hint: `remove the container first: sediment rm ${users[0].names[0] ?? usedBy[0]}`,
    },
  );
}

/**
 * The mapped copies of the top layer, then from the top layer down each layer until one that a
 * container, another image or another layer needs.
 */
function layersOnlyOf(image: ImageRecord, { layers, images, containers }: Others): LayerRecord[] {
  const needed = new Set(containers.all().map((container) => container.layer));
  for (const other of images.all()) {
    if (other.id === image.id) continue;
    for (const id of [other.layer, ...other.mappedLayers]) if (id !== undefined) needed.add(id);
  }
  const children = childrenByParent(layers.all());
  const doomed = new Map<string, LayerRecord>();
  const doom = (id: string | undefined): LayerRecord | undefined => {
    const layer = id === undefined ? undefined : layers.byId(id);
    if (layer === undefined || needed.has(layer.id)) return undefined;
    if (children.get(layer.id)?.some((child) => !doomed.has(child))) return undefined;
    doomed.set(layer.id, layer);
    return layer;
  };
  for (const id of image.mappedLayers) doom(id);
  for (let layer = doom(image.layer); layer !== undefined; ) layer = doom(layer.parent);
  return [...doomed.values()];
}

function childrenByParent(layers: readonly LayerRecord[]): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { id, parent } of layers) {
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [id]);
    else siblings.push(id);
  }
  return children;
}
