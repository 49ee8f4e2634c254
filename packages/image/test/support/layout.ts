import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestHex, digestOf } from '@sediment/core';
import { configBytes, describe, json, type RawDescriptor } from './imageParts.ts';
import { type TarInput, tarBytes } from './tarBytes.ts';

export const OCI = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;
export const DOCKER = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;
export const REF_NAME = 'org.opencontainers.image.ref.name';

export interface ImageInput {
  /** Uncompressed layers. */
  readonly layers?: readonly Uint8Array[];
  /** What is stored instead of them, such as their compressed form. */
  readonly blobs?: readonly Uint8Array[];
  readonly config?: Record<string, unknown>;
  readonly manifest?: Record<string, unknown>;
}

/** An OCI layout under construction, in memory. Files can be changed to be wrong before they are written. */
export class Layout {
  readonly files = new Map<string, Buffer>([['oci-layout', json({ imageLayoutVersion: '1.0.0' })]]);

  put(mediaType: string, bytes: Uint8Array, more: Record<string, unknown> = {}): RawDescriptor {
    this.files.set(Layout.pathOf(bytes), Buffer.from(bytes));
    return describe(mediaType, bytes, more);
  }

  static pathOf(bytes: Uint8Array): string {
    return `blobs/sha256/${digestHex(digestOf(bytes))}`;
  }

  /** Adds config, layers and manifest; returns the manifest's descriptor. */
  image({ layers = [], blobs = layers, config = {}, manifest = {} }: ImageInput, more = {}): RawDescriptor {
    const document = {
      schemaVersion: 2,
      mediaType: OCI.manifest,
      config: this.put(OCI.config, configBytes(layers, config)),
      layers: blobs.map((blob) => this.put(OCI.layer, blob)),
      ...manifest,
    };
    return this.put(document.mediaType, json(document), more);
  }

  /** Adds an index of manifests; returns its descriptor. */
  index(manifests: readonly unknown[], more = {}): RawDescriptor {
    return this.put(OCI.index, json({ schemaVersion: 2, mediaType: OCI.index, manifests }), more);
  }

  /** Writes `index.json`. */
  entries(...manifests: readonly unknown[]): this {
    this.files.set('index.json', json({ schemaVersion: 2, manifests }));
    return this;
  }

  writeTo(directory: string): string {
    for (const [path, bytes] of this.files) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), bytes);
    }
    return directory;
  }

  tarEntries(): TarInput[] {
    return [...this.files].map(([path, data]) => ({ path, data }));
  }

  tar(): Buffer {
    return tarBytes(this.tarEntries());
  }
}

export function named(name: string): Record<string, unknown> {
  return { annotations: { [REF_NAME]: name } };
}

/** A layout with one image of the given layers. */
export function layoutOf(layers: readonly Uint8Array[], name?: string): Layout {
  const layout = new Layout();
  return layout.entries(layout.image({ layers }, name === undefined ? {} : named(name)));
}
