import type { Digest } from '@sediment/core';
import type { OpenedIndex, OpenedManifest, SourceBlob } from './imageSource.ts';

/** A manifest or an index, opened for a copy of its bytes. */
export type Whole = OpenedManifest | OpenedIndex;

/** All that lies below a manifest or index, each thing once. */
export interface WholeContent {
  /** Manifests and indexes; each comes before what names it. */
  readonly instances: readonly Whole[];
  readonly blobs: readonly SourceBlob[];
}

/**
 * Reads all documents below a manifest or index.
 *
 * @throws {StorageError} `BLOB_MISSING` where the source holds only some of the platforms; else as `SourceImage.open`
 */
export async function readWhole(top: Whole): Promise<WholeContent> {
  const instances: Whole[] = [];
  const blobs = new Map<Digest, SourceBlob>();
  const seen = new Set<Digest>([top.document.digest]);
  const visit = async (whole: Whole) => {
    if ('blobs' in whole) for (const blob of whole.blobs) blobs.set(blob.digest, blob);
    else {
      for (const { descriptor, open } of whole.instances) {
        if (seen.has(descriptor.digest)) continue;
        seen.add(descriptor.digest);
        const instance = await open();
        await visit(instance);
        instances.push(instance);
      }
    }
  };
  await visit(top);
  return { instances, blobs: [...blobs.values()] };
}
