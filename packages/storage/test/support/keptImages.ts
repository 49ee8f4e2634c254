import { createReadStream } from 'node:fs';
import { type Digest, digestHex, digestOf } from '@sediment/core';
import type {
  AddChainOptions,
  BlobRange,
  ChainLayer,
  KeepImageRequest,
  KeptDocument,
  Store,
} from '../../src/index.ts';
import { layerOf } from './chains.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** The documents and layers of an image that can be kept. */
export interface KeepableImage {
  readonly id: string;
  readonly name: string;
  readonly chain: readonly ChainLayer[];
  readonly request: KeepImageRequest;
}

const layers = new Map<string, ChainLayer>();

/** Made once: the tar holds times. */
function layerWith(directory: string, content: string): ChainLayer {
  const name = `layer of ${content}`;
  const key = `${directory}/${name}`;
  const layer = layers.get(key) ?? layerOf(directory, name, { 'etc/content': content }, { gzip: true });
  layers.set(key, layer);
  return layer;
}

/** An OCI image of gzipped layers, whose files are made in `directory`. Layers of one content are one blob. */
export function keepableImage(
  directory: string,
  name: string,
  contents: readonly string[] = [`base of ${name}`, `top of ${name}`],
): KeepableImage {
  const chain = contents.map((content) => layerWith(directory, content));
  const config = document(OCI_CONFIG, {
    created: '2026-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { name } },
    rootfs: { type: 'layers', diff_ids: chain.map(({ diffID }) => diffID) },
    history: [],
  });
  const manifest = document(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(config),
    layers: chain.map(({ digest, size }) => ({ mediaType: OCI_LAYER, digest, size })),
  });
  const id = digestHex(config.digest);
  const layers = chain.map(({ digest, size, diffID }) => ({
    digest: digest as Digest,
    size: size as number,
    mediaType: OCI_LAYER,
    diffID,
  }));
  return { id, name: `localhost/${name}:1`, chain, request: { imageId: id, manifest, config, layers } };
}

/** An index of these manifests. */
export function indexOf(...manifests: readonly KeptDocument[]): KeptDocument {
  return document(OCI_INDEX, {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: manifests.map((manifest, i) => ({
      ...descriptor(manifest),
      platform: { os: 'linux', architecture: ['amd64', 'arm64', 's390x'][i] },
    })),
  });
}

export function document(mediaType: string, value: unknown): KeptDocument {
  const bytes = Buffer.from(JSON.stringify(value));
  return { mediaType, digest: digestOf(bytes), bytes };
}

function descriptor({ mediaType, digest, bytes }: KeptDocument) {
  return { mediaType, digest, size: bytes.length };
}

/** Adds the image to a store as an import does; keeps nothing. */
export async function addToStore(
  store: Store,
  { id, name, chain, request }: KeepableImage,
  options: AddChainOptions = {},
): Promise<void> {
  const layers = await store.layers.addChain(chain, options);
  const { manifest, config } = request;
  const top = layers.at(-1)?.id;
  await store.images.put({
    id,
    names: [name],
    digest: manifest.digest,
    bigData: [
      { name: config.digest, bytes: config.bytes },
      { name: `manifest-${manifest.digest}`, bytes: manifest.bytes },
      { name: 'manifest', bytes: manifest.bytes },
    ],
    ...(top === undefined ? {} : { layer: top }),
  });
}

/** Adds the image to a store and keeps its blobs, put one by one. */
export async function keep(
  store: Store,
  image: KeepableImage,
  more: Partial<KeepImageRequest> = {},
): Promise<void> {
  await addToStore(store, image);
  await putLayers(store, image);
  await store.blobs.keepImage({ ...image.request, ...more });
}

export async function putLayers(store: Store, { chain }: KeepableImage): Promise<void> {
  for (const { blob, digest, size } of chain) {
    await store.blobs.put(bytesOf(blob), { ...(digest && { digest }), ...(size && { size }) });
  }
}

/** All blobs of an image: layers, config, manifest. */
export function digestsOf({ chain, request }: KeepableImage): Digest[] {
  return [
    ...chain.map(({ digest }) => digest as Digest),
    request.config.digest,
    request.manifest.digest,
  ].sort();
}

export function bytesOf(blob: ChainLayer['blob']): AsyncIterable<Uint8Array> {
  if (typeof blob === 'function') return blob();
  const { path, offset, length }: BlobRange = blob;
  return createReadStream(path, { start: offset, end: offset + length - 1 });
}

export async function* chunks(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}

export async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(Uint8Array.from(part));
  return Buffer.concat(parts);
}
