import { rmSync } from 'node:fs';
import { cleanUpAfterFailure } from '../drivers/cleanUpAfterFailure.ts';
import type { BigDataItem } from '../items/itemRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { moveNames, type TakenName } from '../tables/moveNames.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import { withImageItem, writeImageItem } from './imageItems.ts';

export interface SaveImageRequest {
  readonly context: StoreContext;
  readonly writer: TableWriter<ImageRecord>;
  /** The record as it shall be, but for the items. */
  readonly record: ImageRecord;
  readonly items: readonly BigDataItem[];
}

export interface SavedImage {
  readonly record: ImageRecord;
  /** Names that other images lost. */
  readonly taken: readonly TakenName[];
}

/**
 * Saves an image, new or known, with further items. The items are written before the record that makes
 * them visible; when this fails, what a new image has of them is removed.
 */
export async function saveImage({ context, writer, record, items }: SaveImageRequest): Promise<SavedImage> {
  const data = writer.paths.imageData(record.id);
  const isNew = writer.byId(record.id) === undefined;
  try {
    for (const item of items) await writeImageItem(writer, record.id, item);
    const saved = items.reduce(withImageItem, record);
    const taken = moveNames(writer, saved.names, saved.id);
    writer.put(saved);
    await writer.save();
    return { record: saved, taken };
  } catch (error) {
    if (isNew) {
      cleanUpAfterFailure(data, context.onWarning, () => rmSync(data, { recursive: true, force: true }));
    }
    throw error;
  }
}
