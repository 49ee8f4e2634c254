import { isStorageError, StorageError } from '@sediment/core';
import type { ChainLayer, LayerInfo, PutImageResult } from '@sediment/storage';
import type { ImageDocument, LayerSource, OpenedImage } from '../sources/imageSource.ts';
import { imageRequest } from './imageRequest.ts';
import type { ImportOneRequest } from './importOne.ts';
import { type KeepPlan, type KeptImageParts, keepRequest } from './keepBlobs.ts';
import { rememberLayers } from './rememberLayers.ts';

export interface ImageToAdd extends ImportOneRequest {
  readonly opened: OpenedImage;
  readonly names: readonly string[];
  /** Absent: no blobs are kept. */
  readonly keep: KeepPlan | undefined;
}

export interface AddedImage {
  readonly result: PutImageResult;
  /** As it was recorded. */
  readonly manifest: ImageDocument;
}

interface AddRequest extends ImageToAdd {
  /** Filled with the ids of the layers that are new to the store, base first. */
  readonly added: Set<string>;
}

/** How often an import starts again because another program deletes its layers or blobs. */
const ATTEMPTS = 3;
const DELETED = ['LAYER_UNKNOWN', 'PARENT_UNKNOWN', 'BLOB_UNKNOWN'] as const;

/**
 * Adds the layers of an image and records it. Until an image uses them, layers may be deleted by any other program
 * that prunes the store; they are then added once more. If all fails the store is as it was.
 */
export async function addToStore(image: ImageToAdd): Promise<AddedImage> {
  const request = { ...image, added: new Set<string>() };
  for (let attempt = 1; ; attempt++) {
    try {
      return await addOnce(request);
    } catch (error) {
      const deleted = DELETED.some((code) => isStorageError(error, code));
      if (deleted && attempt < ATTEMPTS) continue;
      await takeLayersBack(request, [...request.added].reverse());
      throw error;
    }
  }
}

async function addOnce(request: AddRequest): Promise<AddedImage> {
  const { opened, names, plan, added, keep } = request;
  const layers = await addLayers(request);
  const imported = layers.map((info, i) => ({ source: opened.layers[i] as LayerSource, info }));
  rememberLayers(
    plan.blobInfoCache,
    imported.filter(({ info }) => added.has(info.id)),
  );
  const manifest = await opened.manifest(layers.map(({ diffSize }) => diffSize));
  const kept = keep && (await keepRequest({ ...partsToKeep(request, keep), manifest, infos: layers }));
  const signatures = plan.removeSignatures === true ? [] : opened.signatures;
  const record = imageRequest({ opened, manifest, signatures, layer: layers.at(-1)?.id, names });
  const result = await request.store.images.put(record);
  if (kept !== undefined) await keep?.blobs.keepImage({ ...kept, imageId: result.image.id });
  return { result, manifest };
}

function partsToKeep(
  { opened, source, plan, place }: AddRequest,
  keep: KeepPlan,
): Omit<KeptImageParts, 'manifest' | 'infos'> {
  const { signal, onProgress } = plan;
  return {
    keep,
    opened,
    location: source.location,
    signal,
    onBlob: ({ digest, size }) => onProgress?.({ type: 'blob-kept', image: place.image, digest, size }),
  };
}

/** Somebody else builds on the layer, or was faster to delete it. */
const NOT_OURS: ReadonlySet<string> = new Set([
  'LAYER_HAS_CHILDREN',
  'LAYER_UNKNOWN',
  'LAYER_USED_BY_CONTAINER',
  'LAYER_USED_BY_IMAGE',
]);

/**
 * Deletes the layers that were added for an image that then could not be recorded, topmost first. Never
 * throws, since an error is on its way.
 */
async function takeLayersBack({ store, plan }: AddRequest, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    try {
      await store.layers.delete(id);
    } catch (error) {
      if (isStorageError(error) && NOT_OURS.has(error.code)) return;
      const reason = error instanceof Error ? error.message : String(error);
      const message = `layer ${id} stays without an image: ${reason}`;
      plan.onWarning?.({ code: 'DEBRIS_LEFT', message, object: id });
      return;
    }
  }
}

async function addLayers(request: AddRequest): Promise<readonly LayerInfo[]> {
  const { store, source, plan, place, opened, added, keep } = request;
  const { layers } = opened;
  const { onProgress, signal } = plan;
  const chain = layers.map((layer, i) => chainLayer(layer, `layer ${i} of ${source.location}`));
  try {
    return await store.layers.addChain(chain, {
      ...(keep === undefined ? {} : { keepBlobs: true }),
      onProgress: (event) => {
        if (event.type === 'layer-done') added.add(event.id);
        onProgress?.({ ...event, image: place.image });
      },
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    throw source.transport === 'oci' ? error : namingArchive(error, source.location, layers);
  }
}

/** The layers of a compressed archive are read from a temporary copy, whose path tells a user nothing. */
function namingArchive(error: unknown, location: string, layers: readonly LayerSource[]): unknown {
  if (
    !isStorageError(error) ||
    !layers.some(({ blob }) => blob !== undefined && blob.path === error.facts.path)
  )
    return error;
  const { code, message, facts, hint } = error;
  const options = { ...facts, path: location, cause: error, ...(hint === undefined ? {} : { hint }) };
  return new StorageError(code, message, options);
}

function chainLayer(
  { digest, size, diffID, addressedByDiffID, blob, open }: LayerSource,
  name: string,
): ChainLayer {
  return {
    what: `${name} (${digest ?? diffID})`,
    blob: blob ?? open,
    size,
    diffID,
    ...(digest === undefined ? {} : { digest }),
    ...(addressedByDiffID ? { addressedByDiffID } : {}),
  };
}
