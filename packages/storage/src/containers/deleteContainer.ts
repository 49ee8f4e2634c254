import { wrapSystemError } from '@sediment/core';
import { withLayerRemover } from '../layers/layerRemover.ts';
import { removeTree } from '../staging/removeTree.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { findContainer } from './findContainer.ts';

/**
 * Deletes a container with its layer (unmounting it fully) and its directories.
 *
 * The layer is marked, then the record goes, then the layer's content: whenever the program is killed,
 * either the container is still whole, or the next opener finds the marked layer and finishes this.
 *
 * @throws {StorageError} `CONTAINER_UNKNOWN`
 */
export async function deleteContainer(context: StoreContext, idOrName: string): Promise<void> {
  await withLayerRemover(context, async (remover) => {
    await context.layers.write(async (layers) => {
      await context.containers.write(async (containers) => {
        const container = findContainer(containers, idOrName);
        const layer = layers.byId(container.layer);
        const doomed = await remover.mark(layers, layer === undefined ? [] : [layer]);
        removeContainerDirectories(context, container.id);
        containers.remove(container.id);
        await containers.save();
        await remover.remove(layers, doomed);
      });
    });
  });
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
