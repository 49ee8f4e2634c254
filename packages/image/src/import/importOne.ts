import { digestHex, StorageError } from '@sediment/core';
import { throwIfAborted } from '../archives/throwIfAborted.ts';
import type { ImageSource, LayerSource, OpenedImage, SourceImage } from '../sources/imageSource.ts';
import { addToStore } from './addToStore.ts';
import { platformWarning } from './checkPlatform.ts';
import { namesFromSource } from './importNames.ts';
import type { ImportedImage, ImportPlan, ImportStore } from './importOptions.ts';
import { planKeeping } from './keepBlobs.ts';

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
  const { platform, blobInfoCache, onWarning, onProgress, signal } = plan;
  throwIfAborted(signal);
  const names = plan.names ?? namesFromSource(source, image);
  const opened = await image.open({
    ...(platform === undefined ? {} : { platform }),
    ...(blobInfoCache === undefined ? {} : { blobInfoCache }),
    ...(onWarning === undefined ? {} : { onWarning }),
    ...(signal === undefined ? {} : { signal }),
  });
  const mismatch = platformWarning(opened, platform);
  if (mismatch !== undefined) onWarning?.(mismatch);
  const { location } = source;
  const keep = await planKeeping({ blobs: request.store.blobs, plan, image, opened, location });
  const id = digestHex(opened.config.digest);
  await checkExpectation(plan, opened, location);
  onProgress?.({ type: 'image-start', ...place, id, names, layers: opened.layers.map(announce) });
  const { result, manifest } = await addToStore({ ...request, opened, names, keep });
  const { image: info, created: isNew, taken } = result;
  for (const { name, from } of taken) {
    onWarning?.({
      code: 'NAME_TAKEN',
      message: `the name ${name} was taken from image ${from}`,
      object: name,
    });
  }
  onProgress?.({ type: 'image-done', image: place.image, info, isNew, keepsBlobs: keep !== undefined });
  return { ...info, isNew, manifestDigest: manifest.digest };
}

function announce({ diffID, digest, size }: LayerSource) {
  return { diffID, ...(digest === undefined ? {} : { digest }), size };
}

/** A destination that names a digest or an id takes nothing else. */
async function checkExpectation(
  { expect }: ImportPlan,
  opened: OpenedImage,
  location: string,
): Promise<void> {
  if (expect === undefined) return;
  const { digest, id } = expect;
  const own = digestHex(opened.config.digest);
  if (id !== undefined && id !== own) {
    throw mismatch(`the image of ${location} has the id ${own}, and not ${id}`, {
      expected: id,
      actual: own,
    });
  }
  if (digest === undefined || opened.index?.digest === digest) return;
  const actual = (await opened.manifest()).digest;
  if (actual === digest) return;
  const message = `Digest of source image's manifest would not match destination reference: ${location} has ${actual}, not ${digest}`;
  throw mismatch(message, { expected: digest, actual });
}

function mismatch(message: string, facts: { readonly expected: string; readonly actual: string }) {
  return new StorageError('DIGEST_MISMATCH', message, {
    ...facts,
    object: facts.expected,
    hint: 'choose the image that the destination names, or a destination without digest and id',
  });
}
