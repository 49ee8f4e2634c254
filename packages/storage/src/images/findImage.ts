import { StorageError } from '@sediment/core';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { TableView } from '../tables/recordTable.ts';
import { whyNotFound } from '../tables/whyNotFound.ts';

/**
 * By id, exact name or unique id prefix.
 * @throws {StorageError} `IMAGE_UNKNOWN`
 */
export function findImage(view: TableView<ImageRecord>, idOrName: string): ImageRecord {
  const image = view.find(idOrName);
  if (image !== undefined) return image;
  const { reason, hint } = whyNotFound(view, idOrName, 'list the images of the store with "sediment images"');
  throw new StorageError('IMAGE_UNKNOWN', `locating image with ID "${idOrName}": image not known${reason}`, {
    object: idOrName,
    hint,
  });
}
