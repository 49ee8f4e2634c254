import { rmSync } from 'node:fs';
import { StorageError, wrapSystemError } from '@sediment/core';
import { dropKeptBlobs } from '../blobs/followStore.ts';
import { withLayerRemover } from '../layers/layerRemover.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { FoundRecord } from '../tables/findRecord.ts';
import type { TableView, TableWriter } from '../tables/recordTable.ts';
import { findWritableImage } from './findImage.ts';
import { layersOnlyOf } from './layersOnlyOf.ts';

export interface DeleteImageOptions {
  /** Delete nothing, only tell what would be deleted. */
  readonly dryRun?: boolean;
}

/**
 * Deletes an image with all its names, then each of its layers that nothing else needs, and what was kept of its blobs.
 * Returns the ids of the deleted layers: mapped copies of the top layer, and then from the top down.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, `IMAGE_USED_BY_CONTAINER` (with the containers in `usedBy`)
 */
export async function deleteImage(
  context: StoreContext,
  idOrName: string,
  { dryRun = false }: DeleteImageOptions = {},
): Promise<readonly string[]> {
  let imageId: string | undefined;
  const deleted = await withLayerRemover(context, async (remover) => {
    return await context.layers.write(async (layers) => {
      const remove = async (images: TableWriter<ImageRecord>) => {
        return await context.containers.read(async (containers) => {
          const holders = holdersOf(images, idOrName);
          refuseIfUsed(holders[0].record.id, containers);
          const doomed = layersOnlyOf(
            holders.map(({ record }) => record),
            { layers, containers, images: images.writers.flatMap((writer) => writer.all()) },
          );
          const ids = doomed.map(({ id }) => id);
          if (dryRun) return ids;
          for (const { writer, record } of holders) {
            writer.remove(record.id);
            await writer.save();
          }
          imageId = holders[0].record.id;
          await remover.remove(layers, doomed);
          for (const { writer, record } of holders) removeImageFiles(writer, record.id);
          return ids;
        });
      };
      return await context.images.write(remove, { everyStore: true });
    });
  });
  await dropKeptBlobs(context, imageId === undefined ? [] : [imageId]);
  return deleted;
}

/** The image in each writable store that has it. */
function holdersOf(
  images: TableWriter<ImageRecord>,
  idOrName: string,
): [FoundRecord<ImageRecord>, ...FoundRecord<ImageRecord>[]] {
  const found = findWritableImage(images, idOrName);
  const others = images.writers.flatMap((writer) => {
    const record = writer === found.writer ? undefined : writer.byId(found.record.id);
    return record === undefined ? [] : [{ writer, record }];
  });
  return [found, ...others];
}

/** Last, since what stays of them does no harm: the next opener removes it. */
export function removeImageFiles({ paths }: TableView<ImageRecord>, imageId: string): void {
  for (const path of [paths.imageData(imageId), paths.imageRun(imageId)]) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      throw wrapSystemError(error, `removing ${path} of image ${imageId}`, 'IO', { path, object: imageId });
    }
  }
}

function refuseIfUsed(imageId: string, containers: TableView<ContainerRecord>): void {
  const users = containers.all().filter((container) => container.image === imageId);
  const [first] = users;
  if (first === undefined) return;
  const named = users.map(({ id, names }) => (names.length === 0 ? id : `${id} (${names[0]})`));
  throw new StorageError(
    'IMAGE_USED_BY_CONTAINER',
    `image ${imageId} used by ${named.join(', ')}: image is in use by a container`,
    {
      object: imageId,
      usedBy: users.map(({ id }) => id),
      hint: `remove the container first: sediment rm ${first.names[0] ?? first.id}`,
    },
  );
}
