import { type Digest, digestAlgorithm, digestOf, StorageError } from '@sediment/core';
import type { KeepImageRequest, KeptDescriptor, KeptDocument } from './blobs.ts';
import { deleteUnneeded, dropImages } from './dropBlobs.ts';
import { compressionOf } from './fillIndex.ts';
import { blobsOfImage, type DescribedBlob } from './imageBlobs.ts';
import { imageNames, withStoreNames } from './imageNames.ts';
import { readKeepPolicy } from './keepPolicy.ts';
import type { KeptSession, KeptStore } from './keptStore.ts';
import type { BlobFile } from './layoutFiles.ts';
import { foreignAnnotations, type LayoutImage } from './layoutIndex.ts';
import { readManifestLinks } from './manifestLinks.ts';
import { placeBlob, renewBlob } from './putBlob.ts';
import { indexIsWhole } from './rebuildLayoutIndex.ts';
import { BLOB_MODE, writeSpoolFile } from './spoolFiles.ts';

/** See `Blobs.keepImage`. */
export async function keepImage(store: KeptStore, request: KeepImageRequest): Promise<void> {
  const { manifest, config, index, instances = [] } = request;
  const documents = [manifest, config, ...(index === undefined ? [] : [index]), ...instances];
  for (const document of documents) checkDocument(document);
  if (readManifestLinks(manifest.bytes)?.isSchema1 !== false) throw notKeepable(manifest);
  await store.change(async (session) => {
    await putDocuments(store, documents);
    const known = await imageNames(store.context);
    if (!known.has(request.imageId)) throw unknownImage(request.imageId);
    const image = layoutImage(store, request);
    const blobs = blobsOfImage(store.files, image);
    refuseMissing(store, image, blobs);
    own(store, session, { request, image, blobs });
    const others = session.layout.images.filter(({ imageId }) => imageId !== image.imageId);
    session.saveLayout(withStoreNames({ ...session.layout, images: [...others, image] }, known));
    const gone = others.map(({ imageId }) => imageId).filter((id) => !known.has(id));
    if (gone.length > 0) dropImages(store, session, gone);
  });
}

interface Ownership {
  readonly request: KeepImageRequest;
  readonly image: LayoutImage;
  readonly blobs: ReadonlyMap<Digest, DescribedBlob>;
}

/** The index first: a crash then leaves blobs with an owner that is not listed, and never the other way round. */
function own(store: KeptStore, session: KeptSession, { request, image, blobs }: Ownership): void {
  const { index } = session;
  const { imageId } = image;
  const now = Date.now();
  const layers = new Map(request.layers.map((layer) => [layer.digest, layer]));
  const before = index.ownedBy(imageId);
  index.change(() => {
    for (const { digest, mediaType, diffID } of blobs.values()) {
      const file = store.files.find(digest) as BlobFile;
      const { size } = file;
      const compression = diffID === undefined ? undefined : compressionOf(file);
      const facts = { mediaType: mediaType || undefined, diffID, compression, ...layers.get(digest) };
      index.put({ ...facts, digest, size, created: now, lastUsed: now });
    }
    const manifest = request.manifest.digest;
    index.own({ id: imageId, manifest, kept: now }, blobs.keys());
  });
  const replaced = before.filter((digest) => !blobs.has(digest));
  if (replaced.length > 0) {
    deleteUnneeded(store, session, new Map(replaced.map((digest) => [digest, now])));
  }
}

function checkDocument({ digest, bytes, mediaType }: KeptDocument): void {
  const actual = digestOf(bytes, digestAlgorithm(digest));
  if (actual === digest) return;
  if (readManifestLinks(bytes)?.isSchema1 === true) throw notKeepable({ digest });
  throw new StorageError(
    'DIGEST_MISMATCH',
    `${mediaType} ${digest}: Digest did not match, expected ${digest}, got ${actual}`,
    { object: digest, expected: digest, actual, hint: 'the document was changed: fetch it again' },
  );
}

async function putDocuments(store: KeptStore, documents: readonly KeptDocument[]): Promise<void> {
  await store.withTemp((temp) => {
    for (const { digest, bytes } of documents) {
      const size = bytes.length;
      if (renewBlob(store, digest, size) !== undefined) continue;
      const staged = temp.stageAddition();
      writeSpoolFile(staged, bytes, BLOB_MODE);
      placeBlob(store, staged, { digest, size });
    }
  });
}

/** The entry refers to the index only if whoever copies the index as a whole finds all of it. */
function layoutImage({ context, files }: KeptStore, request: KeepImageRequest): LayoutImage {
  const { imageId, manifest, index, instances, annotations, pinned } = request;
  const base = {
    imageId,
    names: [],
    pinned: pinned ?? readKeepPolicy(context.paths.settings) === 'pinned',
    annotations: foreignAnnotations(annotations),
  };
  const { mediaType, digest } = manifest;
  if (index === undefined) return { ...base, target: descriptorOf(manifest) };
  if (instances !== undefined && indexIsWhole(files, index.digest)) {
    return { ...base, target: descriptorOf(index), manifest: { mediaType, digest } };
  }
  return {
    ...base,
    target: descriptorOf(manifest),
    index: { mediaType: index.mediaType, digest: index.digest },
  };
}

function descriptorOf({ mediaType, digest, bytes }: KeptDocument): KeptDescriptor {
  return { mediaType, digest, size: bytes.length };
}

function refuseMissing(
  { files }: KeptStore,
  { imageId }: LayoutImage,
  blobs: ReadonlyMap<Digest, DescribedBlob>,
): void {
  const missing = [...blobs.keys()].find((digest) => files.find(digest) === undefined);
  if (missing === undefined) return;
  throw new StorageError('BLOB_UNKNOWN', `image ${imageId}: its blob ${missing} was not put`, {
    object: missing,
    usedBy: [imageId],
    hint: 'import the image again and keep its blobs',
  });
}

function unknownImage(id: string): StorageError {
  return new StorageError('IMAGE_UNKNOWN', `locating image with ID "${id}": image not known`, {
    object: id,
    hint: 'blobs are kept for images of the store: import the image first',
  });
}

function notKeepable({ digest }: Pick<KeptDocument, 'digest'>): StorageError {
  return new StorageError(
    'NOT_SUPPORTED',
    `manifest ${digest} cannot be kept: no image layout can hold its form`,
    {
      object: digest,
      hint: 'import the image without keeping its blobs',
    },
  );
}
