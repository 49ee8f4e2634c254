import { isDeepStrictEqual } from 'node:util';
import type { ImageRecord } from '../records/imageRecord.ts';
import { uniqueNames, withNamesInHistory } from '../records/names.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { NamesChange } from '../tables/moveNames.ts';
import type { Placed, TableWriter } from '../tables/recordTable.ts';
import { pullUp } from './pullUp.ts';
import { type SavedImage, saveImage } from './saveImage.ts';

export interface RenameImageRequest {
  readonly context: StoreContext;
  readonly writer: TableWriter<ImageRecord>;
  readonly placed: Placed<ImageRecord>;
  readonly change: NamesChange;
}

/**
 * Changes the names of an image, taking them from others. The image of an additional store is copied into
 * the writable one first. Nothing is written when nothing changes.
 */
export async function renameImage(request: RenameImageRequest): Promise<SavedImage> {
  const { context, writer, placed, change } = request;
  const isOwn = writer.byId(placed.record.id) !== undefined;
  const { record: present, items } = isOwn ? { record: placed.record, items: [] } : pullUp(writer, placed);
  const record = withNames(present, change(present.names));
  if (isOwn && isDeepStrictEqual(record.names, present.names)) return { record, taken: [] };
  return await saveImage({ context, writer, record, items });
}

/** The record with exactly these names; each set of names is kept in the history. */
function withNames(image: ImageRecord, names: readonly string[]): ImageRecord {
  const unique = uniqueNames(names);
  return { ...image, names: unique, namesHistory: withNamesInHistory(image.namesHistory, unique) };
}
