import type { KeptImage, Store } from '@sediment/storage';

/** What is kept of an image as it came, as JSON has it. */
export interface KeptBlobsJson {
  /** Manifest, index, config and layers. */
  readonly blobs: number;
  /** On disk; what images share is counted for each of them. */
  readonly bytes: number;
  /** Whether all of it is there: then exports are byte copies. */
  readonly complete: boolean;
  /** Whether the images of all platforms are kept, too; these are not counted. */
  readonly allPlatforms: boolean;
  readonly pinned: boolean;
}

/** What is kept, by the ids of the images. */
export async function keptBlobsById(
  store: Pick<Store, 'blobs'>,
): Promise<ReadonlyMap<string, KeptBlobsJson>> {
  return new Map((await store.blobs.images()).map((image) => [image.imageId, keptBlobsJson(image)]));
}

export function keptBlobsJson(image: KeptImage): KeptBlobsJson {
  const { manifest, config, layers, index, complete, allPlatforms, pinned } = image;
  const parts = [manifest, config, ...layers, index].filter((part) => part !== undefined);
  const sizes = new Map(parts.map(({ digest, size }) => [digest, size]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return { blobs: sizes.size, bytes, complete, allPlatforms, pinned };
}
