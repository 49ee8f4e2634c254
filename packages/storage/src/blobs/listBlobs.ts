import type { Digest } from '@sediment/core';
import type { BlobInfo } from './blobs.ts';
import { compressionOf } from './fillIndex.ts';
import { blobsOfImage, type DescribedBlob } from './imageBlobs.ts';
import type { BlobRow, KeptIndex } from './keptIndex.ts';
import type { BlobFile, LayoutFiles } from './layoutFiles.ts';
import type { LayoutImage, LayoutIndex } from './layoutIndex.ts';

interface BlobFacts {
  /** Absent for a blob that an interrupted program did not note. */
  readonly row: Omit<BlobRow, 'digest' | 'size'> | undefined;
  readonly images: readonly string[];
  readonly pinned: boolean;
}

export function blobInfo(file: BlobFile, { row, images, pinned }: BlobFacts): BlobInfo {
  const { digest, size, time } = file;
  const { mediaType, diffID, diffSize, compression, created = time, lastUsed = time } = row ?? {};
  return {
    digest,
    size,
    ...(mediaType ? { mediaType } : {}),
    ...(diffID === undefined ? {} : { diffID }),
    ...(diffSize === undefined ? {} : { diffSize }),
    ...(compression === undefined ? {} : { compression }),
    images,
    pinned,
    created: new Date(created).toISOString(),
    lastUsed: new Date(lastUsed).toISOString(),
  };
}

/** What lies in the layout, with what the index knows of it. */
export function listFromIndex(
  files: LayoutFiles,
  index: KeptIndex,
  { layout, pins }: { readonly layout: LayoutIndex; readonly pins: ReadonlySet<Digest> },
): BlobInfo[] {
  const rows = new Map(index.blobs().map((row) => [row.digest, row]));
  const owners = index.allOwners();
  const pinnedImages = new Set(layout.images.filter(({ pinned }) => pinned).map(({ imageId }) => imageId));
  return sorted(files).map((file) => {
    const { digest } = file;
    const images = owners.get(digest) ?? [];
    const pinned = pins.has(digest) || images.some((id) => pinnedImages.has(id));
    return blobInfo(file, { row: rows.get(digest), images, pinned });
  });
}

/** The same without an index: owners and DiffIDs come from the manifests, times from the files. */
export function listFromLayout(
  files: LayoutFiles,
  images: readonly LayoutImage[],
  pins: ReadonlySet<Digest>,
): BlobInfo[] {
  const described = new Map<Digest, DescribedBlob>();
  const owners = new Map<Digest, string[]>();
  for (const image of images) {
    for (const blob of blobsOfImage(files, image).values()) {
      described.set(blob.digest, blob);
      owners.set(blob.digest, [...(owners.get(blob.digest) ?? []), image.imageId]);
    }
  }
  const pinned = pinnedBlobs(files, images, pins);
  return sorted(files).map((file) => {
    const blob = described.get(file.digest);
    const facts = {
      mediaType: blob?.mediaType,
      diffID: blob?.diffID,
      compression: blob?.diffID === undefined ? undefined : compressionOf(file),
    };
    const row = { ...facts, created: file.time, lastUsed: file.time };
    return blobInfo(file, {
      row,
      images: (owners.get(file.digest) ?? []).toSorted(),
      pinned: pinned.has(file.digest),
    });
  });
}

/** Blobs that are pinned themselves, or with their image. */
export function pinnedBlobs(
  files: LayoutFiles,
  images: readonly LayoutImage[],
  pins: ReadonlySet<Digest>,
): Set<Digest> {
  const ofImages = images
    .filter(({ pinned }) => pinned)
    .flatMap((image) => [...blobsOfImage(files, image).keys()]);
  return new Set([...pins, ...ofImages]);
}

function sorted(files: LayoutFiles): BlobFile[] {
  return files.list().sort((a, b) => (a.digest < b.digest ? -1 : 1));
}
