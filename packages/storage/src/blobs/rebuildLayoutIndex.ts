import type { Digest } from '@sediment/core';
import type { StoreContext } from '../store/storeContext.ts';
import type { KeptDescriptor } from './blobs.ts';
import { readLinks } from './imageBlobs.ts';
import { imageNames } from './imageNames.ts';
import type { LayoutFiles } from './layoutFiles.ts';
import { EMPTY_LAYOUT, type LayoutImage, type LayoutIndex } from './layoutIndex.ts';

/**
 * The list of kept images, made from what the store knows: an image is kept if the layout has its manifest with config
 * and layers. That all platforms of an index are kept is found again by its instances; annotations and pins of images
 * are lost.
 */
export async function rebuildLayoutIndex(context: StoreContext, files: LayoutFiles): Promise<LayoutIndex> {
  const known = await imageNames(context);
  const images = [...known].flatMap(([imageId, { names, digests }]) => {
    const found = findDocuments(files, digests);
    return found === undefined ? [] : [{ imageId, names, ...found, pinned: false, annotations: {} }];
  });
  return { ...EMPTY_LAYOUT, images };
}

function findDocuments(
  files: LayoutFiles,
  digests: readonly Digest[],
): Pick<LayoutImage, 'target' | 'manifest' | 'index'> | undefined {
  const documents = digests.flatMap((digest) => describe(files, digest));
  const manifest = documents.find(({ links }) => links.manifests.length === 0 && isWhole(files, links));
  if (manifest === undefined) return undefined;
  const index = documents.find(({ links }) =>
    links.manifests.some(({ digest }) => digest === manifest.descriptor.digest),
  );
  if (index === undefined) return { target: manifest.descriptor };
  return indexIsWhole(files, index.descriptor.digest)
    ? { target: index.descriptor, manifest: manifest.descriptor }
    : { target: manifest.descriptor, index: index.descriptor };
}

function describe(files: LayoutFiles, digest: Digest) {
  const links = readLinks(files, digest);
  if (links === undefined) return [];
  const descriptor: KeptDescriptor = {
    mediaType: links.mediaType,
    digest,
    size: files.find(digest)?.size ?? 0,
  };
  return [{ links, descriptor }];
}

type Links = NonNullable<ReturnType<typeof readLinks>>;

function isWhole(files: LayoutFiles, { config, layers }: Links): boolean {
  return config !== undefined && [config, ...layers].every(({ digest }) => files.find(digest) !== undefined);
}

/** Whether the layout has all instances of an index, with all their blobs. */
export function indexIsWhole(files: LayoutFiles, digest: Digest, depth = 0): boolean {
  const links = depth > MAX_DEPTH ? undefined : readLinks(files, digest);
  if (links === undefined) return false;
  if (links.manifests.length === 0) return isWhole(files, links);
  return links.manifests.every((each) => indexIsWhole(files, each.digest, depth + 1));
}

const MAX_DEPTH = 8;
