import { digestHex, digestOf } from '@sediment/core';
import { configBytes, json } from './imageParts.ts';
import { type TarInput, tarBytes } from './tarBytes.ts';

export interface DockerImageInput {
  readonly layers: readonly Uint8Array[];
  /** What is stored instead of them, such as their compressed form. */
  readonly blobs?: readonly Uint8Array[];
  readonly tags?: readonly string[] | null;
  readonly config?: Record<string, unknown>;
  /** Overrides fields of the item in `manifest.json`. */
  readonly item?: Record<string, unknown>;
}

/** The entries of a docker-archive as skopeo lays them out: layers, config, and at the end the index. */
export function dockerEntries(images: readonly DockerImageInput[]): TarInput[] {
  const files = new Map<string, Uint8Array>();
  const items = images.map(({ layers, blobs = layers, tags = null, config = {}, item = {} }) => {
    const paths = layers.map((layer) => `${digestHex(digestOf(layer))}.tar`);
    for (const [i, path] of paths.entries()) files.set(path, blobs[i] as Uint8Array);
    const bytes = configBytes(layers, config);
    const name = `${digestHex(digestOf(bytes))}.json`;
    files.set(name, bytes);
    return { Config: name, RepoTags: tags, Layers: paths, ...item };
  });
  return [
    ...[...files].map(([path, data]) => ({ path, data })),
    { path: 'manifest.json', data: json(items) },
  ];
}

export function dockerArchive(images: readonly DockerImageInput[]): Buffer {
  return tarBytes(dockerEntries(images));
}
