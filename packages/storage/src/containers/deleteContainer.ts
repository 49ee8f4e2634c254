import { rmSync } from 'node:fs';
import { withLayerRemover } from '../layers/layerRemover.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { findContainer } from './findContainer.ts';

/**
 * Deletes a container with its layer (unmounting it fully) and its directories; the record goes last.
 *
 * @throws {StorageError} `CONTAINER_UNKNOWN`
 */
export async function deleteContainer(context: StoreContext, idOrName: string): Promise<void> {
  const { paths } = context;
  await withLayerRemover(context, async (remover) => {
    await context.layers.write(async (layers) => {
      await context.containers.write(async (containers) => {
        const container = findContainer(containers, idOrName);
        const layer = layers.byId(container.layer);
        if (layer !== undefined) await remover.remove(layers, [layer]);
        for (const directory of [paths.containerData(container.id), paths.containerRun(container.id)]) {
          rmSync(directory, { recursive: true, force: true });
        }
        containers.remove(container.id);
        await containers.save();
      });
    });
  });
}
