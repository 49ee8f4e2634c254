import { type Digest, digestOf } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';
import { openRange } from '../archives/openRange.ts';
import { readImageConfig } from '../documents/imageConfig.ts';
import { DOCKER_CONFIG, DOCKER_LAYER } from '../documents/mediaTypes.ts';
import { schema1Config } from '../documents/schema1Config.ts';
import { readSchema1Manifest, type Schema1Manifest } from '../documents/schema1Manifest.ts';
import type { BlobFiles } from './blobFiles.ts';
import { EMPTY_LAYER } from './emptyLayer.ts';
import { findWholeBlob } from './findBlob.ts';
import type { ImageContent } from './imageContent.ts';
import type { LayerSource, OpenImageOptions, SourceBlob } from './imageSource.ts';
import type { ManifestText } from './manifestText.ts';
import { measureLayer } from './measureLayer.ts';

/**
 * An image with a manifest of schema 1. The manifest knows neither sizes nor DiffIDs, so that every layer is read
 * once more to learn them.
 */
export async function readSchema1Content(
  files: BlobFiles,
  text: ManifestText,
  { signal }: OpenImageOptions,
): Promise<ImageContent> {
  const { what } = text.document;
  const manifest = readSchema1Manifest(text.value, text.document);
  const layers: LayerSource[] = [];
  for (const [i, { blob: digest }] of stepsWithLayer(manifest).entries()) {
    const name = `layer ${i} of ${what}`;
    layers.push(await layerSource({ name, digest, range: await findWholeBlob(files, digest, name) }, signal));
  }
  const throwaways: SourceBlob[] = [];
  for (const { blob, isThrowaway } of manifest.steps) {
    if (isThrowaway) throwaways.push(await findThrowaway(files, blob, what));
  }
  const diffIDs = layers.map(({ diffID }) => diffID);
  return { ...madeConfig(manifest, diffIDs, text), layers, throwaways };
}

/** The steps that made the layers of the image, base first. */
export function stepsWithLayer({ steps }: Schema1Manifest): Schema1Manifest['steps'] {
  return steps.filter(({ isThrowaway }) => !isThrowaway);
}

/** The config that stands for the history of a schema 1 manifest, and what it says. */
export function madeConfig(
  manifest: Schema1Manifest,
  diffIDs: readonly Digest[],
  { document: { what, path } }: ManifestText,
): Pick<ImageContent, 'config' | 'configIsMade' | 'created' | 'platform'> {
  const bytes = schema1Config(manifest, diffIDs);
  const { created, platform } = readImageConfig({ bytes, what: `config in ${what}`, path });
  return {
    config: { mediaType: DOCKER_CONFIG, digest: digestOf(bytes), bytes },
    configIsMade: true,
    ...(created === undefined ? {} : { created }),
    ...(platform === undefined ? {} : { platform }),
  };
}

/** What a schema 1 manifest says of its image without a look at the layers. */
export function schema1Facts(text: ManifestText): Pick<ImageContent, 'created' | 'platform'> {
  return madeConfig(readSchema1Manifest(text.value, text.document), [], text);
}

/** All blobs that a schema 1 manifest names, base first. */
export async function schema1Blobs(files: BlobFiles, text: ManifestText): Promise<readonly SourceBlob[]> {
  const blobs: SourceBlob[] = [];
  for (const { blob } of readSchema1Manifest(text.value, text.document).steps) {
    blobs.push(await findThrowaway(files, blob, text.document.what));
  }
  return blobs;
}

interface FoundLayer {
  readonly name: string;
  readonly digest: Digest;
  readonly range: BlobRange;
}

async function layerSource({ name, digest, range }: FoundLayer, signal?: AbortSignal): Promise<LayerSource> {
  const { diffID, diffSize } = await measureLayer(range, name, signal);
  return {
    mediaType: DOCKER_LAYER,
    digest,
    size: range.length,
    diffID,
    diffSize,
    addressedByDiffID: false,
    blob: range,
    open: openRange(range, name),
  };
}

/** The empty layer is known to everybody, and need not be in the source. */
async function findThrowaway(files: BlobFiles, digest: Digest, what: string): Promise<SourceBlob> {
  const name = `blob ${digest} of ${what}`;
  if (digest === EMPTY_LAYER.digest && (await files.find(digest, 'blob')) === undefined) return EMPTY_LAYER;
  const range = await findWholeBlob(files, digest, name);
  return { mediaType: DOCKER_LAYER, digest, size: range.length, range, open: openRange(range, name) };
}
