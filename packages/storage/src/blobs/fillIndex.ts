import { closeSync, openSync, readSync } from 'node:fs';
import { detectCompression } from '@sediment/codec';
import { type Compression, type Digest, wrapSystemError } from '@sediment/core';
import { blobsOfImage, type DescribedBlob } from './imageBlobs.ts';
import type { KeptIndex } from './keptIndex.ts';
import type { KeptStore } from './keptStore.ts';
import type { BlobFile } from './layoutFiles.ts';
import type { LayoutIndex } from './layoutIndex.ts';

const HEAD_BYTES = 6;

/**
 * Fills an index from the layout: what lies there, and whose it is. When a blob was first put is then not known; the time
 * of its file counts.
 *
 * @returns how many blobs there are
 */
export async function fillIndex(
  { context, files }: KeptStore,
  index: KeptIndex,
  { images }: LayoutIndex,
): Promise<number> {
  const diffSizes = await context.layers.read(
    (view) => new Map(view.everywhere().map(({ record }) => [record.diffDigest, record.diffSize])),
  );
  const owned = images.map((image) => ({ image, blobs: blobsOfImage(files, image) }));
  const described = new Map<Digest, DescribedBlob>(owned.flatMap(({ blobs }) => [...blobs]));
  const there = new Map(files.list().map((file) => [file.digest, file]));
  index.change(() => {
    for (const file of there.values()) {
      const blob = described.get(file.digest);
      index.put({
        ...factsOf(file, blob),
        diffSize: blob?.diffID === undefined ? undefined : diffSizes.get(blob.diffID),
        created: Math.floor(file.time),
        lastUsed: Math.floor(file.time),
      });
    }
    for (const { image, blobs } of owned) {
      const digests = [...blobs.keys()].filter((digest) => there.has(digest));
      const manifest = (image.manifest ?? image.target).digest;
      index.own({ id: image.imageId, manifest, kept: Date.now() }, digests);
    }
    index.markFilled();
  });
  return there.size;
}

function factsOf(file: BlobFile, blob: DescribedBlob | undefined) {
  const { digest, size } = file;
  return {
    digest,
    size,
    mediaType: blob?.mediaType === '' ? undefined : blob?.mediaType,
    diffID: blob?.diffID,
    compression: blob?.diffID === undefined ? undefined : compressionOf(file),
  };
}

/** By its first bytes, since media types lie. */
export function compressionOf({ path }: Pick<BlobFile, 'path'>): Compression {
  try {
    const fd = openSync(path, 'r');
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      return detectCompression(head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0)));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}
