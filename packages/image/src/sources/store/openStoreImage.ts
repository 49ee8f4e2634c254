import type { Digest } from '@sediment/core';
import type { ImageInfo } from '@sediment/storage';
import { readImageConfig } from '../../documents/imageConfig.ts';
import { readImageIndex } from '../../documents/imageIndex.ts';
import type { ImageDocument, OpenedImage, OpenImageOptions } from '../imageSource.ts';
import { documentOf, type ManifestText } from '../manifestText.ts';
import { readSingleManifest } from '../openManifestImage.ts';
import { keptIndexDocument } from './keptIndex.ts';
import type { SourceStore } from './sourceStore.ts';
import { hasItem, nameOfImage, readStoreConfig, readStoreManifest } from './storeDocuments.ts';
import { readChain, storeLayers } from './storeLayers.ts';
import { readStoreSignatures } from './storeSignatures.ts';

export interface StoreImageRequest {
  readonly store: SourceStore;
  readonly image: ImageInfo;
  /** Of the manifest that was asked for, or of the list that it was chosen from. */
  readonly asked?: Digest;
}

/** Reads an image of a store. @throws {StorageError} as `SourceImage.open`; `LAYER_UNKNOWN`, `RECORD_INVALID` */
export async function openStoreImage(
  request: StoreImageRequest,
  _options: OpenImageOptions,
): Promise<OpenedImage> {
  const { store, image } = request;
  const { manifest, index } = await chooseStoreManifest(request);
  const { config, layers: descriptors } = readSingleManifest(manifest);
  const bytes = await readStoreConfig(store, image, config.digest);
  const { created, platform, diffIDs } = readImageConfig({
    bytes,
    what: `config of ${nameOfImage(image)}`,
    path: store.graphRoot,
  });
  const { mediaType, digest } = manifest;
  const isDefault = image.bigData.some((item) => item.name === 'manifest' && item.digest === digest);
  return {
    config: { mediaType: config.mediaType, digest: config.digest, bytes },
    ...(created === undefined ? {} : { created }),
    ...(platform === undefined ? {} : { platform }),
    layers: await storeLayers({
      store,
      image,
      mediaType,
      descriptors,
      chain: await readChain(store, image),
      diffIDs,
    }),
    ...(index === undefined ? {} : { index }),
    signatures: await readStoreSignatures(store, image, { digest, isDefault }),
    manifest: async () => documentOf(manifest),
  };
}

interface ChosenManifest {
  readonly manifest: ManifestText;
  readonly index?: ImageDocument;
}

/**
 * The manifest that was asked for; else the one whose blobs are kept, since it is the one that can be given back
 * byte for byte; else the default one.
 */
async function chooseStoreManifest({ store, image, asked }: StoreImageRequest): Promise<ChosenManifest> {
  if (asked !== undefined && hasItem(image, `manifest-${asked}`)) {
    const manifest = await readStoreManifest(store, image, asked);
    if (manifest.kind !== 'index') return { manifest };
    return { manifest: await instanceOf(store, image, manifest), index: documentOf(manifest) };
  }
  const kept = await store.blobs?.image(image.id);
  if (kept?.complete !== true || !hasItem(image, `manifest-${kept.manifest.digest}`)) {
    return { manifest: await readStoreManifest(store, image) };
  }
  const index = await keptIndexDocument(store, image);
  const manifest = await readStoreManifest(store, image, kept.manifest.digest);
  return { manifest, ...(index === undefined ? {} : { index }) };
}

/** The manifest of a list that the image has; of several the default one, whatever platform they are for. */
async function instanceOf(store: SourceStore, image: ImageInfo, list: ManifestText): Promise<ManifestText> {
  const named = new Set(readImageIndex(list.value, list.document).map(({ digest }) => digest));
  const standard = await readStoreManifest(store, image);
  if (named.has(standard.digest)) return standard;
  const held = image.digests.find((digest) => named.has(digest) && hasItem(image, `manifest-${digest}`));
  return held === undefined ? standard : await readStoreManifest(store, image, held);
}
