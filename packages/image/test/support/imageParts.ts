import { type Digest, digestOf } from '@sediment/core';
import { tarBytes } from './tarBytes.ts';

/** A layer with one small file, different for every `name`. */
export function layerTar(name: string, content = `content of ${name}\n`): Buffer {
  return tarBytes([{ path: name, data: content }]);
}

export const CREATED = '2021-03-04T05:06:07.123456789Z';

/** The bytes of an image config for layers that are given uncompressed. */
export function configBytes(layers: readonly Uint8Array[], overrides: Record<string, unknown> = {}): Buffer {
  return json({
    created: CREATED,
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
    ...overrides,
  });
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export interface RawDescriptor {
  mediaType: string;
  digest: Digest | string;
  size: number;
  [key: string]: unknown;
}

export function describe(
  mediaType: string,
  bytes: Uint8Array,
  more: Record<string, unknown> = {},
): RawDescriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, ...more };
}
