import type { StoreContext } from '../store/storeContext.ts';
import { findRecord } from '../tables/findRecord.ts';
import type { NamedRecord, RecordTable, TableWriter } from '../tables/recordTable.ts';

/** Sets the metadata of a layer, an image or a container; false when there is none of these. */
export async function setObjectMetadata(
  { layers, images, containers }: StoreContext,
  idOrName: string,
  metadata: string,
): Promise<boolean> {
  return (
    (await setIn(layers, idOrName, metadata)) ||
    (await setIn(images, idOrName, metadata)) ||
    (await setIn(containers, idOrName, metadata))
  );
}

async function setIn<R extends NamedRecord & { readonly metadata?: string | undefined }>(
  table: RecordTable<R>,
  idOrName: string,
  metadata: string,
): Promise<boolean> {
  const set = async (all: TableWriter<R>) => {
    const found = findRecord(all, idOrName);
    if (found === undefined) return false;
    const { writer, record } = found;
    writer.put({ ...record, metadata: metadata === '' ? undefined : metadata });
    await writer.save();
    return true;
  };
  return await table.write(set, { everyStore: true });
}
