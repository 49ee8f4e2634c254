import { digestOf } from '@sediment/core';
import type { ImageDestination, NewBlob, NewImage } from '../../src/destinations/imageDestination.ts';
import type { ImageDocument } from '../../src/sources/imageSource.ts';
import { configBytes, describe, json } from './imageParts.ts';
import { DOCKER, OCI } from './layout.ts';

/** An image to be written. Its layers are plain tars, so that every destination takes it as it is. */
export interface TestImage {
  readonly layers: readonly Buffer[];
  readonly config: Buffer;
  readonly manifest: ImageDocument;
}

/** As the one that is made for an image of a docker-archive: it comes out of each destination unchanged. */
export function dockerImage(layers: readonly Buffer[], config: Record<string, unknown> = {}): TestImage {
  const bytes = configBytes(layers, config);
  const manifest = json({
    schemaVersion: 2,
    mediaType: DOCKER.manifest,
    config: described(DOCKER.config, bytes),
    layers: layers.map((layer) => described(DOCKER.layer, layer)),
  });
  return { layers, config: bytes, manifest: documentOf(DOCKER.manifest, manifest) };
}

export function ociImage(layers: readonly Buffer[], config: Record<string, unknown> = {}): TestImage {
  const bytes = configBytes(layers, config);
  const manifest = json({
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: describe(OCI.config, bytes),
    layers: layers.map((layer) => describe(OCI.layer, layer)),
  });
  return { layers, config: bytes, manifest: documentOf(OCI.manifest, manifest) };
}

export function documentOf(mediaType: string, bytes: Uint8Array): ImageDocument {
  return { mediaType, digest: digestOf(bytes), bytes };
}

/** Keys in the order of containers/image. */
function described(mediaType: string, bytes: Uint8Array) {
  return { mediaType, size: bytes.length, digest: digestOf(bytes) };
}

/** A layer of which all is known, in pieces of `chunk` bytes. */
export function blobOf(bytes: Uint8Array, more: Partial<NewBlob> = {}, chunk = 1000): NewBlob {
  return {
    ...unknownBlob(bytes, chunk),
    digest: digestOf(bytes),
    size: bytes.length,
    ...more,
  };
}

/** A layer of which only the bytes are known. */
export function unknownBlob(bytes: Uint8Array, chunk = 1000): NewBlob {
  return {
    what: `layer ${digestOf(bytes)}`,
    kind: 'layer',
    async *open() {
      for (let i = 0; i < bytes.length; i += chunk) yield bytes.subarray(i, i + chunk);
    },
  };
}

export async function putBlobs(destination: ImageDestination, image: TestImage): Promise<void> {
  for (const layer of image.layers) await destination.putBlob(blobOf(layer));
  await destination.putBlob(blobOf(image.config, { kind: 'config', what: 'config' }));
}

export async function putImage(
  destination: ImageDestination,
  image: TestImage,
  more: Partial<NewImage> = {},
): Promise<void> {
  await putBlobs(destination, image);
  await destination.putImage({ document: image.manifest, names: [], ...more });
}

/** Writes one image and closes the destination. */
export async function writeImage(
  opening: Promise<ImageDestination>,
  image: TestImage,
  more: Partial<NewImage> = {},
): Promise<void> {
  await using destination = await opening;
  await putImage(destination, image, more);
  await destination.commit();
}
