import { type Digest, digestOf } from '@sediment/core';
import { DOCKER_LAYER, DOCKER_MANIFEST } from '../documents/mediaTypes.ts';
import type { ImageDocument } from './imageSource.ts';

/** A layer by what its uncompressed tar is; `size` in bytes. */
export interface UncompressedLayer {
  readonly diffID: Digest;
  readonly size: number;
}

/**
 * The manifest that stands for an image of a docker-archive, byte for byte as containers/image makes
 * it: so both give the image one digest. It calls the layers compressed, though digests and sizes
 * are those of the plain tars.
 */
export function dockerManifest(config: ImageDocument, layers: readonly UncompressedLayer[]): ImageDocument {
  const manifest = {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: { mediaType: config.mediaType, size: config.bytes.length, digest: config.digest },
    layers: layers.map(({ diffID, size }) => ({ mediaType: DOCKER_LAYER, size, digest: diffID })),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  return { mediaType: DOCKER_MANIFEST, digest: digestOf(bytes), bytes };
}
