import { readdirSync } from 'node:fs';
import { digestOf } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { parsePlatform } from '../../src/platforms/platform.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { configBytes, json, layerTar } from '../support/imageParts.ts';
import { DOCKER, Layout, OCI } from '../support/layout.ts';
import { schema1Image } from '../support/schema1.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYER = layerTar('a');
const OTHER = layerTar('b');
const MIB = 2 ** 20;

interface BadLayout {
  /** Makes the layout, wrong in one way. */
  readonly make: (layout: Layout) => unknown;
  readonly code: string;
  readonly message: string;
  /** The file that is to blame, inside the layout; default: any. */
  readonly file?: string;
  readonly object?: string;
  readonly hint?: string;
}

/** An image whose manifest was changed. */
function withManifest(layout: Layout, manifest: Record<string, unknown>): void {
  layout.entries(layout.image({ layers: [LAYER], manifest }));
}

/** An image whose `index.json` entry was changed. */
function withEntry(layout: Layout, change: Record<string, unknown>): void {
  layout.entries({ ...layout.image({ layers: [LAYER] }), ...change });
}

/** An image with a manifest of schema 1. */
function withSchema1(
  layout: Layout,
  manifest: Record<string, unknown>,
  fields: Record<string, unknown> = {},
): void {
  const image = schema1Image([{ layer: LAYER, fields }], manifest);
  layout.entries(layout.put('application/vnd.docker.distribution.manifest.v1+json', image.manifest));
}

const LAYER_PATH = Layout.pathOf(LAYER);
const CONFIG = configBytes([LAYER]);
const CONFIG_PATH = Layout.pathOf(CONFIG);
const UNSAFE = 'sha256:../../../../etc/passwd';
const NOWHERE = `sha256:${'0'.repeat(64)}`;

const CASES: Record<string, BadLayout> = {
  'an index that is no JSON': {
    make: (layout) => layout.files.set('index.json', Buffer.from('{')),
    code: 'MANIFEST_INVALID',
    message: ': it is not valid JSON',
    file: 'index.json',
  },
  'an index without a digest': {
    make: (layout) => layout.entries({ mediaType: OCI.manifest, size: 1 }),
    code: 'MANIFEST_INVALID',
    message: 'field "manifests.0.digest"',
    file: 'index.json',
  },
  'an index with a negative size': {
    make: (layout) => withEntry(layout, { size: -1 }),
    code: 'MANIFEST_INVALID',
    message: 'field "manifests.0.size"',
    file: 'index.json',
  },
  'an ambiguous index': {
    make: (layout) => layout.files.set('index.json', json({ schemaVersion: 2, manifests: [], layers: [] })),
    code: 'MANIFEST_INVALID',
    message: 'rejecting ambiguous manifest',
    file: 'index.json',
  },
  'an index over 4 MiB': {
    make: (layout) => layout.files.set('index.json', Buffer.alloc(4 * MIB + 1, ' ')),
    code: 'DOCUMENT_TOO_LARGE',
    message: 'exceeded maximum allowed size of 4194304 bytes',
    file: 'index.json',
  },
  'a manifest digest with a path': {
    make: (layout) => withEntry(layout, { digest: UNSAFE }),
    code: 'DIGEST_INVALID',
    message: `: "${UNSAFE}" is not a valid digest`,
  },
  'a manifest digest in upper case': {
    make: (layout) => withEntry(layout, { digest: `sha256:${'A'.repeat(64)}` }),
    code: 'DIGEST_INVALID',
    message: 'is not a valid digest',
  },
  'a missing manifest': {
    make: (layout) => withEntry(layout, { digest: NOWHERE }),
    code: 'BLOB_MISSING',
    message: `: reading blob ${NOWHERE}:`,
    file: `blobs/sha256/${'0'.repeat(64)}`,
    object: NOWHERE,
  },
  'a manifest of another size': {
    make: (layout) => withEntry(layout, { size: 5 }),
    code: 'SIZE_MISMATCH',
    message: 'its descriptor says 5',
  },
  'a manifest with a trailing byte, which containers/image accepts': {
    make: (layout) => {
      const { digest, ...entry } = layout.image({ layers: [LAYER] });
      const path = `blobs/sha256/${digest.slice(7)}`;
      const bytes = Buffer.concat([layout.files.get(path) as Buffer, Buffer.from('\n')]);
      layout.files.set(path, bytes);
      layout.entries({ ...entry, digest, size: bytes.length });
    },
    code: 'DIGEST_MISMATCH',
    message: 'Digest did not match, expected sha256:',
  },
  'a manifest over 4 MiB': {
    make: (layout) => layout.entries(layout.put(OCI.manifest, Buffer.alloc(4 * MIB + 1, ' '))),
    code: 'DOCUMENT_TOO_LARGE',
    message: 'exceeded maximum allowed size of 4194304 bytes',
  },
  'a manifest that claims to be small': {
    make: (layout) =>
      layout.entries({ ...layout.put(OCI.manifest, Buffer.alloc(4 * MIB + 1, ' ')), size: 10 }),
    code: 'SIZE_MISMATCH',
    message: 'its descriptor says 10',
  },
  'a manifest without a config': {
    make: (layout) => withManifest(layout, { config: undefined }),
    code: 'MANIFEST_INVALID',
    message: 'field "config"',
  },
  'an ambiguous manifest': {
    make: (layout) => withManifest(layout, { manifests: [] }),
    code: 'MANIFEST_INVALID',
    message: 'unexpected fields ["manifests"]',
  },
  'an index that contradicts its manifest': {
    make: (layout) => withEntry(layout, { mediaType: OCI.index }),
    code: 'MANIFEST_INVALID',
    message: `it says it is ${OCI.manifest}, its descriptor ${OCI.index}`,
  },
  'more than eight indexes inside each other': {
    make: (layout) => {
      let entry = layout.image({ layers: [LAYER] });
      for (let depth = 0; depth < 9; depth++) entry = layout.index([entry]);
      layout.entries(entry);
    },
    code: 'MANIFEST_INVALID',
    message: 'more than 8 indexes lie inside each other',
  },
  'an image of other platforms only': {
    make: (layout) => {
      const platform = { os: 'linux', architecture: 's390x' };
      layout.entries(layout.index([{ ...layout.image({ layers: [LAYER] }), platform }]));
    },
    code: 'PLATFORM_NOT_FOUND',
    message: 'no image found in image index for architecture "amd64", variant "", OS "linux"',
    hint: 'linux/s390x',
  },
  'an image for this platform that is missing': {
    make: (layout) => {
      const platform = { os: 'linux', architecture: 'amd64' };
      layout.entries(layout.index([{ ...layout.image({ layers: [LAYER] }), digest: NOWHERE, platform }]));
    },
    code: 'BLOB_MISSING',
    message: `manifest ${NOWHERE}`,
    object: NOWHERE,
    hint: 'another platform',
  },
  'a manifest of Docker schema 1 without layers': {
    make: (layout) => withSchema1(layout, { fsLayers: [], history: [] }),
    code: 'MANIFEST_INVALID',
    message: 'no FSLayers in manifest',
  },
  'a manifest of Docker schema 1 without history': {
    make: (layout) => withSchema1(layout, { history: null }),
    code: 'MANIFEST_INVALID',
    message: 'length of history not equal to number of layers',
  },
  'a manifest of Docker schema 1 whose history is no JSON': {
    make: (layout) => withSchema1(layout, { history: [{ v1Compatibility: '{' }] }),
    code: 'MANIFEST_INVALID',
    message: 'history entry 0 of manifest sha256:',
  },
  'a manifest of Docker schema 1 with an ID that is none': {
    make: (layout) => withSchema1(layout, {}, { id: 'x' }),
    code: 'MANIFEST_INVALID',
    message: 'field "id": it is no image ID',
  },
  'a manifest of Docker schema 1 whose base has a parent': {
    make: (layout) => withSchema1(layout, {}, { parent: 'x' }),
    code: 'MANIFEST_INVALID',
    message: 'Invalid parent ID in the base layer of the image',
  },
  'a manifest of Docker schema 1 with a digest that is a path': {
    make: (layout) => withSchema1(layout, { fsLayers: [{ blobSum: UNSAFE }] }),
    code: 'DIGEST_INVALID',
    message: `layer 0 of manifest sha256:`,
  },
  'a manifest of Docker schema 1 without its layer': {
    make: (layout) => withSchema1(layout, { fsLayers: [{ blobSum: NOWHERE }] }),
    code: 'BLOB_MISSING',
    message: `reading blob ${NOWHERE}`,
    object: NOWHERE,
  },
  'an ambiguous manifest of Docker schema 1': {
    make: (layout) => withSchema1(layout, { layers: [] }),
    code: 'MANIFEST_INVALID',
    message: 'unexpected fields ["layers"]',
  },
  'an artifact': {
    make: (layout) => {
      const empty = layout.put('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
      withManifest(layout, { config: empty });
    },
    code: 'ARTIFACT_UNSUPPORTED',
    message: 'artifact with type "application/vnd.oci.empty.v1+json"',
  },
  'an artifact that names itself': {
    make: (layout) => {
      const empty = layout.put('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
      withManifest(layout, { config: empty, artifactType: 'application/x-chart' });
    },
    code: 'ARTIFACT_UNSUPPORTED',
    message: 'artifact with type "application/x-chart"',
  },
  'a plugin of Docker': {
    make: (layout) => {
      const config = layout.put('application/vnd.docker.plugin.v1+json', Buffer.from('{}'));
      withManifest(layout, { mediaType: DOCKER.manifest, config });
    },
    code: 'ARTIFACT_UNSUPPORTED',
    message: 'docker.plugin',
  },
  'a missing config': {
    make: (layout) => {
      withManifest(layout, {});
      layout.files.delete(CONFIG_PATH);
    },
    code: 'BLOB_MISSING',
    message: `config ${digestOf(CONFIG)} of manifest`,
    file: CONFIG_PATH,
    object: digestOf(CONFIG),
  },
  'a tampered config': {
    make: (layout) => {
      withManifest(layout, {});
      layout.files.set(CONFIG_PATH, Buffer.from(CONFIG.toString().replace('amd64', 'arm64')));
    },
    code: 'DIGEST_MISMATCH',
    message: `Digest did not match, expected ${digestOf(CONFIG)}, got sha256:`,
    file: CONFIG_PATH,
    object: digestOf(CONFIG),
  },
  'a config of another digest algorithm': {
    make: (layout) => {
      const config = { mediaType: OCI.config, digest: `sha512:${'1'.repeat(128)}`, size: 2 };
      withManifest(layout, { config });
    },
    code: 'NOT_SUPPORTED',
    message: 'must come from a sha256 digest',
  },
  'a config digest with a path': {
    make: (layout) => withManifest(layout, { config: { mediaType: OCI.config, digest: UNSAFE, size: 1 } }),
    code: 'DIGEST_INVALID',
    message: 'config of manifest sha256:',
  },
  'a config that is no config': {
    make: (layout) => withManifest(layout, { config: layout.put(OCI.config, json(['x'])) }),
    code: 'IMAGE_CONFIG_INVALID',
    message: 'expected object',
  },
  'a config of a wrong time': {
    make: (layout) => layout.entries(layout.image({ layers: [LAYER], config: { created: 'yesterday' } })),
    code: 'IMAGE_CONFIG_INVALID',
    message: 'field "created": it is not a time',
  },
  'a config with too few layers': {
    make: (layout) => layout.entries(layout.image({ layers: [LAYER], blobs: [LAYER, OTHER] })),
    code: 'IMAGE_CONFIG_INVALID',
    message: 'image config has 1 DiffID values, but there are 2 layers',
  },
  'a config with too many layers': {
    make: (layout) => layout.entries(layout.image({ layers: [LAYER, OTHER], blobs: [LAYER] })),
    code: 'IMAGE_CONFIG_INVALID',
    message: 'image config has 2 DiffID values, but there are 1 layers',
  },
  'a layer digest with a path': {
    make: (layout) => withManifest(layout, { layers: [{ mediaType: OCI.layer, digest: UNSAFE, size: 1 }] }),
    code: 'DIGEST_INVALID',
    message: 'layer 0 of manifest sha256:',
  },
  'a missing layer': {
    make: (layout) => {
      withManifest(layout, {});
      layout.files.delete(LAYER_PATH);
    },
    code: 'BLOB_MISSING',
    message: `reading blob ${digestOf(LAYER)}`,
    file: LAYER_PATH,
    object: digestOf(LAYER),
  },
  'a truncated layer': {
    make: (layout) => {
      withManifest(layout, {});
      layout.files.set(LAYER_PATH, LAYER.subarray(0, 700));
    },
    code: 'SIZE_MISMATCH',
    message: `has 700 bytes, its descriptor says ${LAYER.length}`,
    file: LAYER_PATH,
    object: digestOf(LAYER),
  },
  'a foreign layer': {
    make: (layout) => {
      const blob = { mediaType: OCI.layer, digest: NOWHERE, size: 9, urls: ['https://example.com/a'] };
      withManifest(layout, { layers: [blob] });
    },
    code: 'BLOB_MISSING',
    message: 'is a foreign layer: it is not in the source, only at https://example.com/a',
    object: NOWHERE,
    hint: 'foreign layers are not fetched: download it from https://example.com/a to ',
  },
  'an encrypted layer': {
    make: (layout) => withManifest(layout, { layers: [layout.put(`${OCI.layer}+gzip+encrypted`, LAYER)] }),
    code: 'NOT_SUPPORTED',
    message: 'is encrypted',
    hint: '--decryption-key',
  },
};

describe.each(['oci', 'oci-archive'] as const)('a bad layout (%s)', (form) => {
  it.each(Object.entries(CASES))('%s', async (_, { make, code, message, file, object, hint }) => {
    const layout = new Layout();
    make(layout);
    const location = form === 'oci' ? layout.writeTo(scratch()) : scratchFile(layout.tar());
    const openDescriptors = readdirSync('/proc/self/fd').length;
    const error = await storageErrorOf(async () => {
      await using source = await openImageSource(`${form}:${location}`);
      await source.images[0]?.open({ platform: parsePlatform('linux/amd64') });
    });
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint ?? '');
    expect(error.hint).toBeTruthy();
    if (object !== undefined) expect(error.facts.object).toBe(object);
    if (code !== 'DIGEST_INVALID') expect(`${error.facts.path}${error.facts.object}`).toContain(location);
    if (file !== undefined) {
      expect(error.facts.path).toBe(form === 'oci' ? `${location}/${file}` : `${location}(${file})`);
    }
    expect(readdirSync('/proc/self/fd')).toHaveLength(openDescriptors);
  });
});
