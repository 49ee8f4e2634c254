import { StorageError } from '@sediment/core';
import { measureLayer } from '../layers/layerChanges.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { userDirectory } from '../store/userDirectory.ts';
import { containerItemSize } from './containerItems.ts';
import { directorySize } from './directorySize.ts';
import { findContainer } from './findContainer.ts';

/**
 * Bytes of what the container changed in its layer, of its items, and of what is in its two directories.
 *
 * @throws {StorageError} `CONTAINER_UNKNOWN`, `LAYER_UNKNOWN`, `SIZE_UNKNOWN`
 */
export async function containerSize(context: StoreContext, idOrName: string): Promise<number> {
  return await context.layers.read(async (layers) => {
    const { layer, rest } = await context.containers.read((view) => {
      const container = findContainer(view, idOrName);
      const { paths } = view;
      const items = container.bigDataNames.map((name) => containerItemSize(paths, container, name));
      const directories = [paths.containerData(container.id), paths.containerRun(container.id)].map(
        userDirectory,
      );
      const sizes = [...items, ...directories.map(directorySize)];
      return { layer: container.layer, rest: sizes.reduce((sum, size) => sum + size, 0) };
    });
    if (layers.locateId(layer) === undefined) {
      throw new StorageError('LAYER_UNKNOWN', `locating layer with ID "${layer}": layer not known`, {
        object: layer,
        hint: 'the container is damaged: remove it',
      });
    }
    return measureLayer(context, layers, layer) + rest;
  });
}
