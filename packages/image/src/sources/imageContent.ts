import { type Digest, digestAlgorithm, StorageError } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';
import { openRange } from '../archives/openRange.ts';
import type { BlobDescriptor } from '../documents/descriptor.ts';
import { type ImageConfig, readImageConfig } from '../documents/imageConfig.ts';
import type { ImageManifest } from '../documents/imageManifest.ts';
import { isEncryptedLayerType, isKnownLayerType } from '../documents/mediaTypes.ts';
import type { BlobFiles } from './blobFiles.ts';
import { findBlob, readBlobDocument } from './findBlob.ts';
import type { LayerSource, OpenedImage, OpenImageOptions } from './imageSource.ts';
import { measureLayer } from './measureLayer.ts';

export interface ContentRequest {
  readonly files: BlobFiles;
  readonly manifest: ImageManifest;
  /** Names the manifest in messages. */
  readonly what: string;
  readonly options: OpenImageOptions;
}

/** An opened image but for its manifest. */
export type ImageContent = Omit<OpenedImage, 'manifest' | 'index' | 'signatures'>;

/** Reads the config that a manifest names, and finds all its layers before any of them is unpacked. */
export async function readImageContent(request: ContentRequest): Promise<ImageContent> {
  const { files, manifest, what } = request;
  const { config, parsed } = await readConfig(request);
  const blobs: BlobRange[] = [];
  for (const [i, layer] of manifest.layers.entries()) {
    checkLayerType(request, layer, i);
    blobs.push(await findBlob(files, { descriptor: layer, what: `layer ${i} of ${what}` }));
  }
  const diffIDs = await diffIDsOf(request, parsed, blobs);
  const layers: LayerSource[] = manifest.layers.map(({ mediaType, digest, size, annotations }, i) => ({
    mediaType,
    digest,
    size,
    diffID: diffIDs[i] as Digest,
    addressedByDiffID: false,
    ...(annotations === undefined ? {} : { annotations }),
    blob: blobs[i] as BlobRange,
    open: openRange(blobs[i] as BlobRange, `layer ${i} of ${what}`),
  }));
  const { created, platform } = parsed;
  return {
    config,
    ...(created === undefined ? {} : { created }),
    ...(platform === undefined ? {} : { platform }),
    layers,
  };
}

async function readConfig({ files, manifest, what }: ContentRequest) {
  const { digest } = manifest.config;
  const name = `config ${digest} of ${what}`;
  if (digestAlgorithm(digest) !== 'sha256') {
    throw new StorageError('NOT_SUPPORTED', `${name}: the id of an image must come from a sha256 digest`, {
      object: digest,
      path: files.location,
      hint: 'build the image with sha256 digests',
    });
  }
  const config = await readBlobDocument(files, { descriptor: manifest.config, what: name });
  const parsed = readImageConfig({ bytes: config.bytes, what: name, path: files.describe(digest, 'blob') });
  return { config, parsed };
}

/**
 * A config without any DiffID is tolerated, as by containers/image: then the layers are read once
 * more to learn them, unless somebody on this host has done so before.
 */
async function diffIDsOf(
  { files, manifest, what, options }: ContentRequest,
  { diffIDs }: ImageConfig,
  blobs: readonly BlobRange[],
): Promise<readonly Digest[]> {
  if (diffIDs.length === blobs.length) return diffIDs;
  if (diffIDs.length > 0) {
    const { digest } = manifest.config;
    throw new StorageError(
      'IMAGE_CONFIG_INVALID',
      `config ${digest} of ${what}: image config has ${diffIDs.length} DiffID values, but there are ${blobs.length} layers`,
      {
        object: digest,
        path: files.describe(digest, 'blob'),
        expected: blobs.length,
        actual: diffIDs.length,
        hint: 'config and manifest do not belong together: make the image anew',
      },
    );
  }
  const measured: Digest[] = [];
  for (const [i, blob] of blobs.entries()) {
    const { digest } = manifest.layers[i] as BlobDescriptor;
    const known = options.blobInfoCache?.uncompressedDigest(digest);
    measured.push(known ?? (await measureLayer(blob, `layer ${i} of ${what}`, options.signal)).diffID);
  }
  return measured;
}

function checkLayerType(request: ContentRequest, { mediaType, digest }: BlobDescriptor, index: number): void {
  const { files, what, options } = request;
  const name = `layer ${index} of ${what}`;
  if (isEncryptedLayerType(mediaType)) {
    throw new StorageError('NOT_SUPPORTED', `${name} is encrypted (${mediaType})`, {
      object: digest,
      path: files.describe(digest, 'blob'),
      hint: 'decrypt the image first, with "skopeo copy --decryption-key"',
    });
  }
  if (isKnownLayerType(mediaType)) return;
  options.onWarning?.({
    code: 'MEDIA_TYPE_UNKNOWN',
    message: `${name} has the unknown media type ${JSON.stringify(mediaType)}; it is taken for a tar archive`,
    object: digest,
    path: files.location,
  });
}
