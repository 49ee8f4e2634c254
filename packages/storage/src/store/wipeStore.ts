import { rmSync } from 'node:fs';
import { wrapSystemError } from '@sediment/core';
import { dropKeptBlobs } from '../blobs/followStore.ts';
import { removeContainerDirectories } from '../containers/deleteContainer.ts';
import { childrenFirst } from '../layers/childrenFirst.ts';
import { type LayerRemover, withLayerRemover } from '../layers/layerRemover.ts';
import { unrecordedLayers } from '../layers/unrecordedLayers.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import type { StoreContext } from './storeContext.ts';

/**
 * Deletes all containers, images and layers of the writable store, what was kept of blobs of the images, and the driver's
 * layers that have no record.
 * What is mounted is unmounted. Record files, locks and what other programs keep in the roots stay.
 */
export async function wipeStore(context: StoreContext): Promise<void> {
  const { layers, images, containers } = context;
  const wiped: string[] = [];
  await withLayerRemover(context, async (remover) => {
    await layers.write(async (layerWriter) => {
      const wipeImagesAndBoxes = async (imageWriter: TableWriter<ImageRecord>) => {
        await containers.write((boxWriter) => wipeContainers({ context, remover, layerWriter, boxWriter }));
        for (const writer of imageWriter.writers) wiped.push(...(await wipeImages(writer)));
      };
      await images.write(wipeImagesAndBoxes, { everyStore: true });
      await remover.remove(layerWriter, childrenFirst([...layerWriter.all(), ...layerWriter.hidden()]));
      for (const id of unrecordedLayers(context, layerWriter)) await remover.removeContent(id);
    });
  });
  await dropKeptBlobs(context, [...new Set(wiped)]);
}

interface ContainerWipe {
  readonly context: StoreContext;
  readonly remover: LayerRemover;
  readonly layerWriter: TableWriter<LayerRecord>;
  readonly boxWriter: TableWriter<ContainerRecord>;
}

/** In the order of a single deletion: directories, marks on the layers, records. */
async function wipeContainers({ context, remover, layerWriter, boxWriter }: ContainerWipe): Promise<void> {
  const boxes = boxWriter.all();
  for (const { id } of boxes) removeContainerDirectories(context, id);
  const doomed = boxes.map(({ layer }) => layerWriter.byId(layer)).filter((layer) => layer !== undefined);
  await remover.mark(layerWriter, doomed);
  for (const { id } of boxes) boxWriter.remove(id);
  await boxWriter.save();
}

/** Returns the ids. Records first: a directory without a record is removed by whoever opens the store next. */
async function wipeImages(writer: TableWriter<ImageRecord>): Promise<string[]> {
  const ids = writer.all().map(({ id }) => id);
  for (const id of ids) writer.remove(id);
  await writer.save();
  for (const id of ids) {
    const path = writer.paths.imageData(id);
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      throw wrapSystemError(error, `removing ${path} of image ${id}`, 'IO', { path, object: id });
    }
  }
  return ids;
}
