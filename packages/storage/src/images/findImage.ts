import { StorageError } from '@sediment/core';
import type { ImageRecord } from '../records/imageRecord.ts';
import { type FoundRecord, findRecord } from '../tables/findRecord.ts';
import type { Placed, TableView, TableWriter } from '../tables/recordTable.ts';
import { whyNotFound } from '../tables/whyNotFound.ts';

/**
 * The image of a writable store with this id, exact name or unique id prefix.
 * @throws {StorageError} `IMAGE_UNKNOWN`
 */
export function findWritableImage(
  writer: TableWriter<ImageRecord>,
  idOrName: string,
): FoundRecord<ImageRecord> {
  const found = findRecord(writer, idOrName);
  if (found === undefined) throw unknownImage(writer, idOrName);
  return found;
}

/**
 * {@link findWritableImage} in the writable stores, and then in the additional ones.
 * @throws {StorageError} `IMAGE_UNKNOWN`
 */
export function locateImage(view: TableView<ImageRecord>, idOrName: string): Placed<ImageRecord> {
  const placed = view.locate(idOrName);
  if (placed === undefined) throw unknownImage(view, idOrName);
  return placed;
}

function unknownImage(view: TableView<ImageRecord>, idOrName: string): StorageError {
  const { reason, hint } = whyNotFound(view, idOrName, 'list the images of the store with "sediment images"');
  return new StorageError('IMAGE_UNKNOWN', `locating image with ID "${idOrName}": image not known${reason}`, {
    object: idOrName,
    hint,
  });
}
