import { StorageError } from '@sediment/core';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { TableView } from '../tables/recordTable.ts';

/**
 * By id, name, id of its layer, or unique id prefix.
 * @throws {StorageError} `CONTAINER_UNKNOWN`
 */
export function findContainer(view: TableView<ContainerRecord>, idOrName: string): ContainerRecord {
  const container = view.find(idOrName);
  if (container !== undefined) return container;
  throw new StorageError('CONTAINER_UNKNOWN', `container "${idOrName}": container not known`, {
    object: idOrName,
    hint: 'list the containers of the store with "sediment containers"',
  });
}
