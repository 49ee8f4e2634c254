import { digestHex } from '@sediment/core';
import type { BigDataItem, PutImageRequest } from '@sediment/storage';
import type { ImageDocument, OpenedImage } from '../sources/imageSource.ts';

export interface ImageParts {
  readonly opened: OpenedImage;
  readonly manifest: ImageDocument;
  /** Id of the top layer; absent without layers. */
  readonly layer: string | undefined;
  readonly names: readonly string[];
}

/**
 * The record of an image as skopeo and podman write it: the id is the hex of the config's digest;
 * config and manifests are kept byte for byte, under their digests and in this order; the digest is
 * that of the list, if the image came from one.
 */
export function imageRequest({ opened, manifest, layer, names }: ImageParts): PutImageRequest {
  const { config, index, created } = opened;
  return {
    id: digestHex(config.digest),
    ...(layer === undefined ? {} : { layer }),
    names,
    digest: (index ?? manifest).digest,
    metadata: JSON.stringify({ 'signatures-sizes': { [manifest.digest]: [] } }),
    ...(created === undefined ? {} : { created }),
    bigData: bigData(config, manifest, index),
  };
}

/** `manifest` is what other programs read by default; the signatures, though there are none, must be an item. */
function bigData(
  config: ImageDocument,
  manifest: ImageDocument,
  index: ImageDocument | undefined,
): BigDataItem[] {
  const items: BigDataItem[] = [{ name: config.digest, bytes: config.bytes }];
  if (index !== undefined) items.push({ name: `manifest-${index.digest}`, bytes: index.bytes });
  items.push(
    { name: `manifest-${manifest.digest}`, bytes: manifest.bytes },
    { name: 'manifest', bytes: manifest.bytes },
    { name: `signature-${digestHex(manifest.digest)}`, bytes: new Uint8Array() },
  );
  return items;
}
