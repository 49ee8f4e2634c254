import { followNames } from '../blobs/followStore.ts';
import { renameImage } from '../images/renameImage.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { NamesChange } from '../tables/moveNames.ts';
import type { NamedRecord, RecordTable } from '../tables/recordTable.ts';
import { rename } from '../tables/rename.ts';

/** Changes the names of a layer, an image or a container; undefined when there is none of these. */
export async function renameObject(
  context: StoreContext,
  idOrName: string,
  change: NamesChange,
): Promise<readonly string[] | undefined> {
  return (
    (await renameIn(context.layers, idOrName, change)) ??
    (await renameOneImage(context, idOrName, change)) ??
    (await renameIn(context.containers, idOrName, change))
  );
}

async function renameIn<R extends NamedRecord>(
  table: RecordTable<R>,
  idOrName: string,
  change: NamesChange,
): Promise<readonly string[] | undefined> {
  return await table.write(async (writer) => {
    const record = writer.find(idOrName);
    return record === undefined ? undefined : (await rename(writer, record, change)).record.names;
  });
}

async function renameOneImage(
  context: StoreContext,
  idOrName: string,
  change: NamesChange,
): Promise<readonly string[] | undefined> {
  const names = await context.images.write(async (writer) => {
    const placed = writer.locate(idOrName);
    if (placed === undefined) return undefined;
    return (await renameImage({ context, writer, placed, change })).record.names;
  });
  if (names !== undefined) await followNames(context);
  return names;
}
