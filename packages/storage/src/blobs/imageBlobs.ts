import type { Digest } from '@sediment/core';
import type { KeptDescriptor, KeptImage } from './blobs.ts';
import type { LayoutFiles } from './layoutFiles.ts';
import type { LayoutImage } from './layoutIndex.ts';
import { type ManifestLinks, readDiffIDs, readManifestLinks } from './manifestLinks.ts';

/** Deeper than any index in use; digests allow no circles. */
const MAX_DEPTH = 8;

/** A blob as the layout's documents describe it. */
export interface DescribedBlob extends KeptDescriptor {
  readonly diffID?: Digest;
}

/** The image as the documents in the layout describe it. */
export function describeImage(files: LayoutFiles, image: LayoutImage): KeptImage {
  const { imageId, names, target, pinned, annotations } = image;
  const manifest = image.manifest === undefined ? target : withSize(files, image.manifest);
  const index = image.manifest === undefined ? image.index && withSize(files, image.index) : image.target;
  const links = readLinks(files, manifest.digest);
  const layers = links === undefined ? [] : describeLayers(files, links);
  const needed = [manifest, ...(links?.config === undefined ? [] : [links.config]), ...layers];
  return {
    imageId,
    names,
    manifest,
    ...(links?.config === undefined ? {} : { config: links.config }),
    layers,
    ...(index === undefined ? {} : { index }),
    allPlatforms: image.manifest !== undefined,
    annotations,
    pinned,
    complete: links?.config !== undefined && needed.every((blob) => isThere(files, blob)),
  };
}

/**
 * All blobs that belong to an image: its manifest, config and layers, its index, and the same of the other platforms if
 * all are kept. Blobs may be missing on disk.
 */
export function blobsOfImage(files: LayoutFiles, image: LayoutImage): Map<Digest, DescribedBlob> {
  const blobs = new Map<Digest, DescribedBlob>();
  for (const link of [image.index, image.manifest]) {
    if (link !== undefined) blobs.set(link.digest, withSize(files, link));
  }
  addReachable(files, image.target, blobs);
  return blobs;
}

/** Adds a manifest or index, and what can be reached from it. */
export function addReachable(
  files: LayoutFiles,
  document: KeptDescriptor,
  blobs: Map<Digest, DescribedBlob>,
  depth = 0,
): void {
  blobs.set(document.digest, document);
  const links = depth > MAX_DEPTH ? undefined : readLinks(files, document.digest);
  if (links === undefined) return;
  if (links.config !== undefined) blobs.set(links.config.digest, links.config);
  for (const layer of describeLayers(files, links)) blobs.set(layer.digest, layer);
  for (const manifest of links.manifests) addReachable(files, manifest, blobs, depth + 1);
}

/** The layers of a manifest with the DiffIDs of its config, if these fit. */
export function describeLayers(files: LayoutFiles, { config, layers }: ManifestLinks): DescribedBlob[] {
  const bytes = config === undefined ? undefined : files.document(config.digest);
  const diffIDs = bytes === undefined ? [] : readDiffIDs(bytes);
  if (diffIDs.length !== layers.length) return [...layers];
  return layers.map((layer, i) => ({ ...layer, diffID: diffIDs[i] as Digest }));
}

export function readLinks(files: LayoutFiles, digest: Digest): ManifestLinks | undefined {
  const bytes = files.document(digest);
  return bytes === undefined ? undefined : readManifestLinks(bytes);
}

function isThere(files: LayoutFiles, { digest, size }: KeptDescriptor): boolean {
  return files.find(digest)?.size === size;
}

/** As large as its file; 0 if that is missing. */
function withSize(files: LayoutFiles, link: Omit<KeptDescriptor, 'size'>): KeptDescriptor {
  return { ...link, size: files.find(link.digest)?.size ?? 0 };
}
