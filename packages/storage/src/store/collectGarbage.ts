import { existsSync } from 'node:fs';
import { type Digest, wrapSystemError } from '@sediment/core';
import type { CollectedBlobs } from '../blobs/blobs.ts';
import { withLayerRemover } from '../layers/layerRemover.ts';
import { unrecordedLayers } from '../layers/unrecordedLayers.ts';
import { removeTree } from '../staging/removeTree.ts';
import { containersOfOtherMode, layersOfOtherMode } from './otherMode.ts';
import { orphanImages, recoverStore } from './recoverStore.ts';
import { listDirectory } from './removeTempFiles.ts';
import type { StoreContext } from './storeContext.ts';

/** Ids of what had files, but no record; and kept blobs that belonged to nobody. */
export interface Garbage {
  readonly containers: readonly string[];
  readonly images: readonly string[];
  readonly layers: readonly string[];
  /** Digests. */
  readonly blobs: readonly Digest[];
  /** What the blobs took on disk. */
  readonly blobBytes: number;
}

const FULL_ID = /^[0-9a-f]{64}$/;

/**
 * Removes what no record accounts for: directories of containers and images, layers of the driver, and files
 * kept beside layer records; all that opening a store recovers; and kept blobs of images that are no more. Layers that have a record but no use stay.
 * What cannot be removed does not keep the rest from going; the first error is thrown at the end.
 */
export async function collectGarbage(context: StoreContext): Promise<Garbage> {
  const errors: unknown[] = [];
  const garbage = {
    containers: await collectContainers(context, errors),
    images: await collectImages(context, errors),
    layers: await collectLayers(context, errors),
  };
  await recoverStore(context);
  const { blobs, bytes: blobBytes } = await collectBlobs(context, errors);
  if (errors.length > 0) throw errors[0];
  return { ...garbage, blobs, blobBytes };
}

async function collectBlobs(
  context: StoreContext,
  errors: unknown[],
): Promise<Pick<CollectedBlobs, 'blobs' | 'bytes'>> {
  const nothing = { blobs: [], bytes: 0 };
  if (!existsSync(context.paths.keptLayout)) return nothing;
  try {
    return await (await context.keptBlobs()).collect();
  } catch (error) {
    errors.push(error);
    return nothing;
  }
}

/** The run root is left alone: stores may share it, and whose a directory there is cannot be told. */
async function collectContainers(context: StoreContext, errors: unknown[]): Promise<string[]> {
  const { containers, paths } = context;
  return await containers.write(async (writer) => {
    const owners = await containersOfOtherMode(context);
    const orphans = listDirectory(paths.containers).filter(
      (id) => FULL_ID.test(id) && writer.byId(id) === undefined && !owners.has(id),
    );
    return orphans.filter((id) => remove(paths.containerData(id), errors));
  });
}

async function collectImages({ images }: StoreContext, errors: unknown[]): Promise<string[]> {
  return await images.write(
    ({ writers }) =>
      writers.flatMap((writer) =>
        orphanImages(writer).filter((id) => remove(writer.paths.imageData(id), errors)),
      ),
    { everyStore: true },
  );
}

async function collectLayers(context: StoreContext, errors: unknown[]): Promise<string[]> {
  return await withLayerRemover(context, async (remover) => {
    return await context.layers.write(async (writer) => {
      const owners = await layersOfOtherMode(context);
      const removed: string[] = [];
      for (const id of unrecordedLayers(context, writer)) {
        if (owners.has(id)) continue;
        try {
          await remover.removeContent(id);
          removed.push(id);
        } catch (error) {
          errors.push(error);
        }
      }
      return removed;
    });
  });
}

/** @returns whether it is gone */
function remove(path: string, errors: unknown[]): boolean {
  try {
    removeTree(path);
    return true;
  } catch (error) {
    errors.push(wrapSystemError(error, `removing ${path}`, 'IO', { path }));
    return false;
  }
}
