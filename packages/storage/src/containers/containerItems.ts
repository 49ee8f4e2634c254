import { type Digest, StorageError } from '@sediment/core';
import { readItemFile, refuseEmptyItemName, writeItemFile } from '../items/itemFile.ts';
import { type BigDataItem, recordedDigest, recordedSize, withItem } from '../items/itemRecord.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { StorePaths } from '../store/storePaths.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import { findContainer } from './findContainer.ts';

/** What can be known of an item without reading it. */
type Fact = 'size' | 'digest';
type Facts = { readonly size: number; readonly digest: Digest };

/**
 * Sets an item under the held lock. The file is written first, and the record if it changes.
 *
 * @throws {StorageError} `BIG_DATA_NAME_INVALID`
 */
export async function setContainerItem(
  writer: TableWriter<ContainerRecord>,
  container: ContainerRecord,
  item: BigDataItem,
): Promise<ContainerRecord> {
  const { name, bytes } = item;
  refuseEmptyItemName(name, 'set empty name for container big data item');
  const { id } = container;
  await writeItemFile(writer.paths.containerItem(id, name), bytes, {
    owner: { kind: 'container', id },
    name,
    disk: writer.disk,
  });
  const next = withItem(container, item);
  if (next === container) return container;
  writer.put(next);
  await writer.save();
  return next;
}

/** @throws {StorageError} `BIG_DATA_UNKNOWN`, `BIG_DATA_NAME_INVALID` */
export function readContainerItem(paths: StorePaths, { id }: ContainerRecord, name: string): Buffer {
  refuseEmptyItemName(name, 'retrieve container big data value for empty name');
  const bytes = readItem(paths, id, name);
  if (bytes !== undefined) return bytes;
  const path = paths.containerItem(id, name);
  throw new StorageError(
    'BIG_DATA_UNKNOWN',
    `item "${name}" of container ${id}: open ${path}: no such file or directory`,
    { object: id, item: name, path, hint: 'list the items that the container has' },
  );
}

/** Bytes of an item, recorded or measured. @throws {StorageError} `SIZE_UNKNOWN` */
export function containerItemSize(paths: StorePaths, container: ContainerRecord, name: string): number {
  const size = recordedSize(container, name) ?? readItem(paths, container.id, name)?.length;
  if (size === undefined) throw unknownFact('size', container.id, name);
  return size;
}

/**
 * Size or digest of an item. One that was not recorded is worked out, and recorded.
 *
 * @throws {StorageError} `CONTAINER_UNKNOWN`, `BIG_DATA_NAME_INVALID`; `SIZE_UNKNOWN` or `DIGEST_UNKNOWN`
 */
export async function containerItemFact<F extends Fact>(
  context: StoreContext,
  idOrName: string,
  { name, fact }: { readonly name: string; readonly fact: F },
): Promise<Facts[F]> {
  const what = fact === 'size' ? 'size of container big data' : 'digest of container big data value';
  refuseEmptyItemName(name, `retrieve ${what} with empty name`);
  const known = await context.containers.read((view) => recorded(findContainer(view, idOrName), name, fact));
  if (known !== undefined) return known;
  return await context.change(() =>
    context.containers.write(async (writer) => {
      const container = findContainer(writer, idOrName);
      const bytes = readItem(writer.paths, container.id, name);
      if (bytes === undefined) throw unknownFact(fact, container.id, name);
      const filled = await setContainerItem(writer, container, { name, bytes });
      return recorded(filled, name, fact) as Facts[F];
    }),
  );
}

function recorded<F extends Fact>(container: ContainerRecord, name: string, fact: F): Facts[F] | undefined {
  const value = fact === 'size' ? recordedSize(container, name) : recordedDigest(container, name);
  return value as Facts[F] | undefined;
}

function readItem(paths: StorePaths, id: string, name: string): Buffer | undefined {
  return readItemFile(paths.containerItem(id, name), { kind: 'container', id });
}

function unknownFact(fact: Fact, id: string, name: string): StorageError {
  const [code, text] =
    fact === 'size'
      ? (['SIZE_UNKNOWN', 'size is not known'] as const)
      : (['DIGEST_UNKNOWN', 'could not compute digest of item'] as const);
  return new StorageError(code, `item "${name}" of container ${id}: ${text}`, { object: id, item: name });
}
