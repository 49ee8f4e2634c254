import type { Digest } from '@sediment/core';
import { imageDigests } from '../records/imageRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { LayoutImage, LayoutIndex } from './layoutIndex.ts';

export interface KnownImage {
  readonly names: readonly string[];
  /** Of its manifests and lists. */
  readonly digests: readonly Digest[];
}

/** All images of the store and its additional ones, by id. */
export async function imageNames({ images }: StoreContext): Promise<Map<string, KnownImage>> {
  return await images.read((view) => {
    const known = new Map<string, KnownImage>();
    for (const { record } of view.everywhere()) {
      if (known.has(record.id)) continue;
      known.set(record.id, { names: [...record.names], digests: imageDigests(record) });
    }
    return known;
  });
}

/** The layout with the names that the images have in the store; the same object if nothing changes. */
export function withStoreNames(layout: LayoutIndex, known: ReadonlyMap<string, KnownImage>): LayoutIndex {
  let changed = false;
  const images = layout.images.map((image): LayoutImage => {
    const names = known.get(image.imageId)?.names;
    if (names === undefined || sameTexts(names, image.names)) return image;
    changed = true;
    return { ...image, names };
  });
  return changed ? { ...layout, images } : layout;
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
