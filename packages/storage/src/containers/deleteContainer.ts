import { wrapSystemError } from '@sediment/core';
import { type LayerRemover, withLayerRemover } from '../layers/layerRemover.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import { removeTree } from '../staging/removeTree.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import { findContainer } from './findContainer.ts';

/**
 * Deletes a container with its layer (unmounting it fully) and its directories.
 *
 * @throws {StorageError} `CONTAINER_UNKNOWN`
 */
export async function deleteContainer(context: StoreContext, idOrName: string): Promise<void> {
  await withLayerRemover(context, async (remover) => {
    await context.layers.write(async (layers) => {
      await context.containers.write(async (containers) => {
        const container = findContainer(containers, idOrName);
        await removeContainer({ context, layers, containers, remover, container });
      });
    });
  });
}

export interface RemoveContainerRequest {
  readonly context: StoreContext;
  readonly layers: TableWriter<LayerRecord>;
  readonly containers: TableWriter<ContainerRecord>;
  readonly remover: LayerRemover;
  readonly container: ContainerRecord;
}

/**
 * The removal itself, under the held locks. First the directories go, then the layer is marked, then the
 * record goes, then the layer's content: whenever this fails or the program is killed, either the
 * container can be deleted again, or the next opener finds the marked layer and finishes this.
 */
export async function removeContainer(request: RemoveContainerRequest): Promise<void> {
  const { context, layers, containers, remover, container } = request;
  const layer = layers.byId(container.layer);
  removeContainerDirectories(context, container.id);
  const doomed = await remover.mark(layers, layer === undefined ? [] : [layer]);
  containers.remove(container.id);
  await containers.save();
  await remover.remove(layers, doomed);
}

/** Removes what the engine kept for a container; mounts that it left there are taken away first. */
export function removeContainerDirectories({ paths }: StoreContext, id: string): void {
  for (const path of [paths.containerData(id), paths.containerRun(id)]) {
    try {
      removeTree(path);
    } catch (error) {
      throw wrapSystemError(error, `removing ${path} of container ${id}`, 'IO', { path, object: id });
    }
  }
}
