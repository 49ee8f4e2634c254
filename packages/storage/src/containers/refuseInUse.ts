import { StorageError } from '@sediment/core';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { TableView } from '../tables/recordTable.ts';

/** @throws {StorageError} `DUPLICATE_ID`, `DUPLICATE_NAME` (the owner in `usedBy`) */
export function refuseInUse(
  containers: TableView<ContainerRecord>,
  id: string,
  names: readonly string[],
): void {
  if (containers.byId(id) !== undefined) {
    throw new StorageError('DUPLICATE_ID', `container "${id}": that ID is already in use`, {
      object: id,
      usedBy: [id],
      hint: 'remove that container, or choose another id',
    });
  }
  for (const name of names) {
    const owner = containers.all().find((container) => container.names.includes(name));
    if (owner === undefined) continue;
    throw new StorageError(
      'DUPLICATE_NAME',
      `the container name "${name}" is already in use by ${owner.id}. You have to remove that container to be ` +
        'able to reuse that name: that name is already in use',
      { object: name, usedBy: [owner.id], hint: 'remove that container, or choose another name' },
    );
  }
}
