import { type Digest, StorageError } from '@sediment/core';
import type { BigDataItem } from '../items/itemRecord.ts';
import { locateLayer } from '../layers/findLayer.ts';
import { checkNewId } from '../records/checkNewId.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import { uniqueNames, withNamesInHistory } from '../records/names.ts';
import { randomId } from '../records/randomId.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { type ImageInfo, imageInfo } from './imageInfo.ts';
import { newImageRecord } from './newImageRecord.ts';
import { type PulledUpImage, pullUp } from './pullUp.ts';
import { saveImage } from './saveImage.ts';

export interface CreateImageRequest {
  /** Generated, if absent or empty. */
  readonly id?: string;
  readonly names?: readonly string[];
  /** Id, name or id prefix of the top layer; absent for an image without layers. */
  readonly layer?: string;
  /** Digest of the manifest; that of the first item whose name starts with `manifest`, if absent. */
  readonly digest?: Digest;
  /** Opaque text, kept with the image. */
  readonly metadata?: string;
  /** RFC 3339; now, if absent. */
  readonly created?: string;
  readonly bigData?: readonly BigDataItem[];
  readonly flags?: Readonly<Record<string, unknown>>;
}

/**
 * Makes a new image. An id or name in use is refused, not taken. If an additional store has an image of
 * that id, the new record takes over what it says, its names and its items.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`, `ID_INVALID`, `DUPLICATE_ID`, `DUPLICATE_NAME` (the owner in `usedBy`),
 *   `BIG_DATA_NAME_INVALID`
 */
export async function createImage(context: StoreContext, request: CreateImageRequest): Promise<ImageInfo> {
  return await context.layers.read(async (layers) => {
    const layer = request.layer === undefined ? undefined : locateLayer(layers, request.layer).record.id;
    return await context.images.write(async (writer) => {
      const id = request.id || randomId((used) => writer.byId(used) !== undefined);
      checkNewId(id, 'image');
      refuseIdInUse(writer, id);
      refuseNamesInUse(writer, request.names ?? []);
      const { record, items } = startOf(writer, id);
      const saved = await saveImage({
        context,
        writer,
        record: withRequest({ ...record, layer }, request),
        items: [...items, ...(request.bigData ?? [])],
      });
      return imageInfo(saved.record);
    });
  });
}

function refuseIdInUse(view: TableView<ImageRecord>, id: string): void {
  if (view.byId(id) === undefined) return;
  throw new StorageError(
    'DUPLICATE_ID',
    `an image with ID "${id}" already exists: that ID is already in use`,
    { object: id, usedBy: [id], hint: 'remove that image, or choose another id' },
  );
}

function refuseNamesInUse(view: TableView<ImageRecord>, names: readonly string[]): void {
  for (const name of names) {
    const owner = view.all().find((image) => image.names.includes(name));
    if (owner === undefined) continue;
    throw new StorageError(
      'DUPLICATE_NAME',
      `image name "${name}" is already associated with image "${owner.id}": that name is already in use`,
      { object: name, usedBy: [owner.id], hint: 'take the name from that image, or choose another one' },
    );
  }
}

/** What an additional store knows of the id, or an empty record. */
function startOf(view: TableView<ImageRecord>, id: string): PulledUpImage {
  const placed = view.locateId(id);
  return placed === undefined ? { record: newImageRecord({ id }), items: [] } : pullUp(view, placed);
}

function withRequest(record: ImageRecord, request: CreateImageRequest): ImageRecord {
  const { digest, metadata, created, flags } = request;
  const names = uniqueNames([...record.names, ...(request.names ?? [])]);
  // The first names of an image are not noted before they are changed: Go programs do the same.
  const isRenamed = record.names.length > 0;
  return {
    ...record,
    names,
    ...(isRenamed ? { namesHistory: withNamesInHistory(record.namesHistory, names) } : {}),
    ...(digest === undefined ? {} : { digest }),
    ...(metadata === undefined || metadata === '' ? {} : { metadata }),
    ...(created === undefined ? {} : { created }),
    flags: { ...record.flags, ...flags },
  };
}
