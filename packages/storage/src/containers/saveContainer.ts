import type { BigDataItem } from '../items/itemRecord.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import { setContainerItem } from './containerItems.ts';
import { type RemoveContainerRequest, removeContainer } from './deleteContainer.ts';

/**
 * Saves a new container and then its items, which without a record would be nobody's. What fails here takes
 * the container and its layer back. Returns the record as it is in the end.
 */
export async function saveContainer(
  request: RemoveContainerRequest,
  items: readonly BigDataItem[],
): Promise<ContainerRecord> {
  const { remover, layers, containers, container } = request;
  try {
    containers.put(container, container.flags.Volatile === true ? { file: 'volatile' } : {});
    await containers.save();
  } catch (error) {
    const layer = layers.byId(container.layer);
    if (layer !== undefined) await remover.takeBack(layers, [layer]);
    throw error;
  }
  try {
    let current = container;
    for (const item of items) current = await setContainerItem(containers, current, item);
    return current;
  } catch (error) {
    await takeBackContainer(request);
    throw error;
  }
}

/** Never throws, since an error is on its way: what stays is reported and can be deleted like any container. */
async function takeBackContainer(request: RemoveContainerRequest): Promise<void> {
  const { context, container } = request;
  try {
    await removeContainer(request);
  } catch (error) {
    context.onWarning({
      code: 'DEBRIS_LEFT',
      message: `container ${container.id}, which could not be completed, is left: ${String(error)}`,
      object: container.id,
    });
  }
}
