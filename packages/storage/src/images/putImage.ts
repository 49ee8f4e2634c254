import { type Digest, StorageError } from '@sediment/core';
import type { BigDataItem } from '../items/itemRecord.ts';
import { checkNewId } from '../records/checkNewId.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import { withAddedNames, withNamesInHistory } from '../records/names.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TakenName } from '../tables/moveNames.ts';
import { type ImageInfo, imageInfo } from './imageInfo.ts';
import { newImageRecord } from './newImageRecord.ts';
import { saveImage } from './saveImage.ts';

export interface PutImageRequest {
  readonly id: string;
  /** Id of the top layer, which must be in the store; absent for an image without layers. */
  readonly layer?: string;
  /** Fully qualified references; taken from other images that have them. */
  readonly names: readonly string[];
  /** Digest of the manifest (of the list, where the image was chosen from one). */
  readonly digest?: Digest;
  readonly metadata?: string;
  /** RFC 3339 text from the image's config; now, if absent. */
  readonly created?: string;
  readonly bigData: readonly BigDataItem[];
}

export interface PutImageResult {
  readonly image: ImageInfo;
  /** Whether the image is new to the store. */
  readonly created: boolean;
  /** Names that other images lost. */
  readonly taken: readonly TakenName[];
}

/**
 * Records an image. If the store has an image of that id and the same top layer, the documents are
 * added to it (replacing those of the same name), the metadata is replaced, and the names are added
 * in front. Documents are written before the record that makes them visible.
 *
 * @throws {StorageError} `IMAGE_CONFLICT`, `ID_INVALID`, `LAYER_UNKNOWN`, `BIG_DATA_NAME_INVALID`
 */
export async function putImage(context: StoreContext, request: PutImageRequest): Promise<PutImageResult> {
  return await context.layers.read(async (layers) => {
    const { id, layer } = request;
    if (layer !== undefined && layers.locateId(layer) === undefined) {
      throw new StorageError('LAYER_UNKNOWN', `image ${id}: locating layer ${layer}: layer not known`, {
        object: layer,
        hint: 'it was deleted meanwhile: run the import again',
      });
    }
    return await context.images.write(async (writer) => {
      const present = writer.byId(id);
      if (present === undefined) checkNewId(id, 'image');
      checkSameLayer(present, request);
      const record = mergeRecord(present ?? newRecord(request), request);
      const { record: saved, taken } = await saveImage({ context, writer, record, items: request.bigData });
      return { image: imageInfo(saved), created: present === undefined, taken };
    });
  });
}

function checkSameLayer(present: ImageRecord | undefined, { id, layer }: PutImageRequest): void {
  if (present === undefined || present.layer === layer) return;
  throw new StorageError(
    'IMAGE_CONFLICT',
    `image with ID "${id}" already exists, but uses a different top layer: that ID is already in use`,
    {
      object: id,
      ...(present.layer === undefined ? {} : { actual: present.layer }),
      ...(layer === undefined ? {} : { expected: layer }),
      hint: 'remove the present image first',
    },
  );
}

function newRecord({ id, layer, created }: PutImageRequest): ImageRecord {
  return newImageRecord({
    id,
    ...(layer === undefined ? {} : { layer }),
    ...(created === undefined ? {} : { created }),
  });
}

function mergeRecord(base: ImageRecord, request: PutImageRequest): ImageRecord {
  const digest = base.digest ?? request.digest;
  const metadata = request.metadata ?? base.metadata;
  return {
    ...base,
    ...(digest === undefined ? {} : { digest }),
    ...(metadata === undefined ? {} : { metadata }),
    names: withAddedNames(base.names, request.names),
    namesHistory: withNamesInHistory(base.namesHistory, request.names),
  };
}
