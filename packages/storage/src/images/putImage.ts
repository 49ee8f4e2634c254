import { rmSync } from 'node:fs';
import { type Digest, digestOf, StorageError } from '@sediment/core';
import { cleanUpAfterFailure } from '../drivers/cleanUpAfterFailure.ts';
import { nowGoTime } from '../records/goTime.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import { uniqueNames, withNamesInHistory } from '../records/names.ts';
import { removeTempFiles } from '../store/removeTempFiles.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { type ImageInfo, imageInfo } from './imageInfo.ts';
import { writeImageItem } from './imageItems.ts';
import { moveNames, type TakenName } from './imageNames.ts';

/** A document to be kept with an image. Digest and size are recorded; the digest is computed if absent. */
export interface BigDataItem {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly digest?: Digest;
}

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
 * @throws {StorageError} `IMAGE_CONFLICT`, `LAYER_UNKNOWN`, `BIG_DATA_NAME_INVALID`
 */
export async function putImage(context: StoreContext, request: PutImageRequest): Promise<PutImageResult> {
  return await context.layers.read(async (layers) => {
    const { layer } = request;
    if (layer !== undefined && layers.byId(layer) === undefined) {
      throw new StorageError(
        'LAYER_UNKNOWN',
        `image ${request.id}: locating layer ${layer}: layer not known`,
        {
          object: layer,
          hint: 'it was deleted meanwhile: run the import again',
        },
      );
    }
    return await context.images.write(async (writer) => {
      const present = writer.byId(request.id);
      checkSameLayer(present, request);
      removeTempFiles(context.paths.imageData(request.id));
      try {
        for (const item of request.bigData) await writeImageItem(context.paths, request.id, item);
        const taken = moveNames(writer, request.names, request.id);
        const record = mergeRecord(present, request);
        writer.put(record);
        await writer.save();
        return { image: imageInfo(record), created: present === undefined, taken };
      } catch (error) {
        if (present === undefined) {
          const data = context.paths.imageData(request.id);
          cleanUpAfterFailure(data, context.onWarning, () => rmSync(data, { recursive: true, force: true }));
        }
        throw error;
      }
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

function mergeRecord(present: ImageRecord | undefined, request: PutImageRequest): ImageRecord {
  const base: ImageRecord = present ?? {
    id: request.id,
    names: [],
    namesHistory: [],
    ...(request.layer === undefined ? {} : { layer: request.layer }),
    mappedLayers: [],
    bigDataNames: [],
    bigDataSizes: {},
    bigDataDigests: {},
    created: request.created ?? nowGoTime(),
    flags: {},
    unknown: {},
  };
  const digest = base.digest ?? request.digest;
  const metadata = request.metadata ?? base.metadata;
  return {
    ...base,
    ...(digest === undefined ? {} : { digest }),
    ...(metadata === undefined ? {} : { metadata }),
    names: uniqueNames([...request.names, ...base.names]),
    namesHistory: withNamesInHistory(base.namesHistory, request.names),
    bigDataNames: uniqueNames([...base.bigDataNames, ...request.bigData.map((item) => item.name)]),
    bigDataSizes: {
      ...base.bigDataSizes,
      ...Object.fromEntries(request.bigData.map((item) => [item.name, item.bytes.length])),
    },
    bigDataDigests: {
      ...base.bigDataDigests,
      ...Object.fromEntries(request.bigData.map((item) => [item.name, item.digest ?? digestOf(item.bytes)])),
    },
  };
}
