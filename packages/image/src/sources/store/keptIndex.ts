import { type Digest, isStorageError } from '@sediment/core';
import type { ImageInfo, KeptBlob } from '@sediment/storage';
import type { BlobFiles } from '../blobFiles.ts';
import { blobPath } from '../blobPath.ts';
import type { ImageDocument, OpenedIndex } from '../imageSource.ts';
import { documentOf, type ManifestText, readManifestText } from '../manifestText.ts';
import { openIndex } from '../openWhole.ts';
import type { SourceStore } from './sourceStore.ts';
import { readStoreSignatures } from './storeSignatures.ts';

/** The index that the store has kept with an image, for a copy of all its platforms. */
export async function openKeptIndex(store: SourceStore, image: ImageInfo): Promise<OpenedIndex | undefined> {
  const files = keptFiles(store, image);
  const index = await readKeptIndex(store, image);
  return index === undefined ? undefined : openIndex(files, index);
}

/** The document of that index alone. */
export async function keptIndexDocument(
  store: SourceStore,
  image: ImageInfo,
): Promise<ImageDocument | undefined> {
  const index = await readKeptIndex(store, image);
  return index === undefined ? undefined : documentOf(index);
}

async function readKeptIndex(store: SourceStore, image: ImageInfo): Promise<ManifestText | undefined> {
  const index = (await store.blobs?.image(image.id))?.index;
  return index === undefined ? undefined : await readManifestText(keptFiles(store, image), index);
}

/** A blob of the store as it came; undefined if the store has not kept it. */
export async function findKept({ blobs }: SourceStore, digest: Digest): Promise<KeptBlob | undefined> {
  try {
    return await blobs?.get(digest);
  } catch (error) {
    if (isStorageError(error, 'BLOB_UNKNOWN')) return undefined;
    throw error;
  }
}

function keptFiles(store: SourceStore, image: ImageInfo): BlobFiles {
  return {
    location: store.graphRoot,
    find: async (digest) => (await findKept(store, digest))?.range,
    describe: (digest) => `${store.graphRoot}/sediment/oci/${blobPath(digest)}`,
    signatures: async (instance) =>
      instance === undefined
        ? []
        : await readStoreSignatures(store, image, { digest: instance, isDefault: false }),
  };
}
