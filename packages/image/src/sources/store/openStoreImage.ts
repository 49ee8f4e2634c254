import type { Digest } from '@sediment/core';
import type { ImageInfo } from '@sediment/storage';
import { readImageConfig } from '../../documents/imageConfig.ts';
import { readImageIndex } from '../../documents/imageIndex.ts';
import { readSchema1Manifest } from '../../documents/schema1Manifest.ts';
import { EMPTY_LAYER } from '../emptyLayer.ts';
import type { ImageContent } from '../imageContent.ts';
import type { ImageDocument, OpenedImage } from '../imageSource.ts';
import { documentOf, type ManifestText } from '../manifestText.ts';
import { readSingleManifest } from '../openManifestImage.ts';
import { madeConfig, stepsWithLayer } from '../schema1Content.ts';
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
export async function openStoreImage(request: StoreImageRequest): Promise<OpenedImage> {
  const { store, image } = request;
  const { manifest, index } = await chooseStoreManifest(request);
  const { digest } = manifest;
  const isDefault = image.bigData.some((item) => item.name === 'manifest' && item.digest === digest);
  const content =
    manifest.kind === 'schema1'
      ? await schema1StoreContent(store, image, manifest)
      : await storeContent(store, image, manifest);
  return {
    ...content,
    ...(index === undefined ? {} : { index }),
    signatures: await readStoreSignatures(store, image, { digest, isDefault }),
    manifest: async () => documentOf(manifest),
  };
}

async function storeContent(
  store: SourceStore,
  image: ImageInfo,
  manifest: ManifestText,
): Promise<ImageContent> {
  const { mediaType } = manifest;
  const { config, layers: descriptors } = readSingleManifest(manifest);
  const bytes = await readStoreConfig(store, image, config.digest);
  const what = `config of ${nameOfImage(image)}`;
  const { created, platform, diffIDs } = readImageConfig({ bytes, what, path: store.graphRoot });
  const chain = await readChain(store, image);
  return {
    config: { mediaType: config.mediaType, digest: config.digest, bytes },
    ...(created === undefined ? {} : { created }),
    ...(platform === undefined ? {} : { platform }),
    layers: await storeLayers({ store, image, mediaType, descriptors, chain, diffIDs }),
  };
}

/** A store has no layers for the steps that changed no file, and no config. */
async function schema1StoreContent(
  store: SourceStore,
  image: ImageInfo,
  text: ManifestText,
): Promise<ImageContent> {
  const manifest = readSchema1Manifest(text.value, text.document);
  const { mediaType } = text;
  const descriptors = stepsWithLayer(manifest).map(() => undefined);
  const chain = await readChain(store, image);
  const layers = await storeLayers({ store, image, mediaType, descriptors, chain, diffIDs: [] });
  const throwaways = manifest.steps.flatMap(({ isThrowaway }) => (isThrowaway ? [EMPTY_LAYER] : []));
  const diffIDs = layers.map(({ diffID }) => diffID);
  return { ...madeConfig(manifest, diffIDs, text), layers, throwaways };
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
