import { StorageError } from '@sediment/core';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { TableView } from '../tables/recordTable.ts';
import { whyNotFound } from '../tables/whyNotFound.ts';

/**
 * By id, name, id of its layer, or unique id prefix.
 * @throws {StorageError} `CONTAINER_UNKNOWN`
 */
export function findContainer(view: TableView<ContainerRecord>, idOrName: string): ContainerRecord {
  const container = view.find(idOrName);
  if (container !== undefined) return container;
  const { reason, hint } = whyNotFound(
    view,
    idOrName,
    'list the containers of the store with "sediment containers"',
  );
  throw new StorageError('CONTAINER_UNKNOWN', `container "${idOrName}": container not known${reason}`, {
    object: idOrName,
    hint,
  });
}
