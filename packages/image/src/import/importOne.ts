import { digestHex, isStorageError, StorageError } from '@sediment/core';
import type { ChainLayer, LayerInfo, PutImageResult } from '@sediment/storage';
import { throwIfAborted } from '../archives/throwIfAborted.ts';
import type { ImageSource, LayerSource, OpenedImage, SourceImage } from '../sources/imageSource.ts';
import { platformWarning } from './checkPlatform.ts';
import { imageRequest } from './imageRequest.ts';
import { namesFromSource } from './importNames.ts';
import type { ImportedImage, ImportPlan, ImportStore } from './importOptions.ts';

export interface ImportOneRequest {
  readonly store: ImportStore;
  readonly source: ImageSource;
  readonly image: SourceImage;
  readonly plan: ImportPlan;
  /** Position among the imported images, and how many there are. */
  readonly place: { readonly image: number; readonly total: number };
}

/** Imports one chosen image: reads its documents, adds its layers, records it. */
export async function importOne(request: ImportOneRequest): Promise<ImportedImage> {
  const { source, image, plan, place } = request;
  const { platform, onWarning, onProgress, signal } = plan;
  throwIfAborted(signal);
  const names = plan.names ?? namesFromSource(source, image);
  const opened = await image.open({
    ...(platform === undefined ? {} : { platform }),
    ...(onWarning === undefined ? {} : { onWarning }),
    ...(signal === undefined ? {} : { signal }),
  });
  const mismatch = platformWarning(opened, platform);
  if (mismatch !== undefined) onWarning?.(mismatch);
  const id = digestHex(opened.config.digest);
  onProgress?.({ type: 'image-start', ...place, id, names, layers: opened.layers.map(announce) });
  const { image: info, created: isNew, taken } = await addToStore(request, opened, names);
  for (const { name, from } of taken) {
    onWarning?.({
      code: 'NAME_TAKEN',
      message: `the name ${name} was taken from image ${from}`,
      object: name,
    });
  }
  onProgress?.({ type: 'image-done', image: place.image, info, isNew });
  return { ...info, isNew };
}

function announce({ diffID, digest, size }: LayerSource) {
  return { diffID, ...(digest === undefined ? {} : { digest }), size };
}

/** How often an import starts again because another program deletes its layers. */
const ATTEMPTS = 3;

/**
 * Until an image uses them, layers may be deleted by any other program that prunes the store. They are
 * then added once more.
 */
async function addToStore(
  request: ImportOneRequest,
  opened: OpenedImage,
  names: readonly string[],
): Promise<PutImageResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await addOnce(request, opened, names);
    } catch (error) {
      const deleted = isStorageError(error, 'LAYER_UNKNOWN') || isStorageError(error, 'PARENT_UNKNOWN');
      if (!deleted || attempt === ATTEMPTS) throw error;
    }
  }
}

async function addOnce(
  request: ImportOneRequest,
  opened: OpenedImage,
  names: readonly string[],
): Promise<PutImageResult> {
  const layers = await addLayers(request, opened.layers);
  const manifest = await opened.manifest(layers.map(({ diffSize }) => diffSize));
  return await request.store.images.put(imageRequest({ opened, manifest, layer: layers.at(-1)?.id, names }));
}

async function addLayers(
  { store, source, plan, place }: ImportOneRequest,
  layers: readonly LayerSource[],
): Promise<readonly LayerInfo[]> {
  const { onProgress, signal } = plan;
  const chain = layers.map((layer, i) => chainLayer(layer, `layer ${i} of ${source.location}`));
  try {
    return await store.layers.addChain(chain, {
      ...(onProgress === undefined
        ? {}
        : { onProgress: (event) => onProgress({ ...event, image: place.image }) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    throw source.transport === 'oci' ? error : namingArchive(error, source.location, layers);
  }
}

/** The layers of a compressed archive are read from a temporary copy, whose path tells a user nothing. */
function namingArchive(error: unknown, location: string, layers: readonly LayerSource[]): unknown {
  if (!isStorageError(error) || !layers.some(({ blob }) => blob.path === error.facts.path)) return error;
  const { code, message, facts, hint } = error;
  const options = { ...facts, path: location, cause: error, ...(hint === undefined ? {} : { hint }) };
  return new StorageError(code, message, options);
}

function chainLayer(
  { digest, size, diffID, addressedByDiffID, blob }: LayerSource,
  name: string,
): ChainLayer {
  return {
    what: `${name} (${digest ?? diffID})`,
    blob,
    size,
    diffID,
    ...(digest === undefined ? {} : { digest }),
    ...(addressedByDiffID ? { addressedByDiffID } : {}),
  };
}
