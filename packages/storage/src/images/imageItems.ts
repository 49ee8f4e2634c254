import { type Digest, StorageError } from '@sediment/core';
import { readItemFile, refuseEmptyItemName, writeItemFile } from '../items/itemFile.ts';
import { type BigDataItem, recordedDigest, recordedSize, withItem } from '../items/itemRecord.ts';
import { type ImageRecord, imageDigests } from '../records/imageRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { Placed, TableView, TableWriter } from '../tables/recordTable.ts';
import { findWritableImage, locateImage } from './findImage.ts';

/** Writes one document of an image; the record that names it is the caller's. */
export async function writeImageItem(
  { paths, disk }: TableWriter<ImageRecord>,
  imageId: string,
  item: BigDataItem,
): Promise<void> {
  const { name, bytes } = item;
  refuseEmptyItemName(name, 'set empty name for image big data item');
  const owner = { kind: 'image', id: imageId } as const;
  await writeItemFile(paths.imageItem(imageId, name), bytes, { owner, name, disk });
}

/** The record with this item; an image without a digest gets that of its first manifest. */
export function withImageItem(image: ImageRecord, item: BigDataItem): ImageRecord {
  const next = withItem(image, item);
  if (next.digest !== undefined || next === image) return next;
  const [digest] = imageDigests(next);
  return digest === undefined ? next : { ...next, digest };
}

/** Sets an item of an image in the writable store. The file is written first, and the record if it changes. */
export async function setImageItem(
  { images }: StoreContext,
  idOrName: string,
  item: BigDataItem,
): Promise<void> {
  const set = async (all: TableWriter<ImageRecord>) => {
    const { writer, record: image } = findWritableImage(all, idOrName);
    await writeImageItem(writer, image.id, item);
    const next = withImageItem(image, item);
    if (next === image) return;
    writer.put(next);
    await writer.save();
  };
  await images.write(set, { everyStore: true });
}

/**
 * An item from the first store that has its file: a record that a Go program copied from an additional
 * store may be there without its items.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, `BIG_DATA_UNKNOWN`
 */
export function readImageItem(view: TableView<ImageRecord>, idOrName: string, name: string): Buffer {
  for (const placed of placesOf(view, idOrName)) {
    const bytes = readPlacedItem(placed, name);
    if (bytes !== undefined) return bytes;
  }
  throw new StorageError(
    'BIG_DATA_UNKNOWN',
    `locating item named "${name}" for image with ID "${idOrName}" ` +
      '(consider removing the image to resolve the issue): file does not exist',
    { object: idOrName, item: name, hint: 'remove the image and import it again' },
  );
}

/** In bytes. @throws {StorageError} `IMAGE_UNKNOWN`, `SIZE_UNKNOWN` */
export function imageItemSize(view: TableView<ImageRecord>, idOrName: string, name: string): number {
  for (const placed of placesOf(view, idOrName)) {
    const size = recordedSize(placed.record, name) ?? readPlacedItem(placed, name)?.length;
    if (size !== undefined) return size;
  }
  throw new StorageError('SIZE_UNKNOWN', `item "${name}" of image ${idOrName}: size is not known`, {
    object: idOrName,
    item: name,
  });
}

/** @throws {StorageError} `IMAGE_UNKNOWN`, `DIGEST_UNKNOWN` */
export function imageItemDigest(view: TableView<ImageRecord>, idOrName: string, name: string): Digest {
  for (const { record } of placesOf(view, idOrName)) {
    const digest = recordedDigest(record, name);
    if (digest !== undefined) return digest;
  }
  throw new StorageError(
    'DIGEST_UNKNOWN',
    `item "${name}" of image ${idOrName}: could not compute digest of item`,
    { object: idOrName, item: name },
  );
}

/** All records of one image: the one found, and those of the same id in other stores. */
function placesOf(view: TableView<ImageRecord>, idOrName: string): Placed<ImageRecord>[] {
  const { record } = locateImage(view, idOrName);
  return view.everywhere().filter((placed) => placed.record.id === record.id);
}

function readPlacedItem({ record, paths }: Placed<ImageRecord>, name: string): Buffer | undefined {
  if (name === '') return undefined;
  return readItemFile(paths.imageItem(record.id, name), { kind: 'image', id: record.id });
}
