/**
 * Odd sources, also bad ones: what skopeo takes we take, with the same record; what it refuses we refuse. Where the
 * two differ on purpose, the list says so.
 */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf, isStorageError } from '@sediment/core';
import { openStore } from '@sediment/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peersSkipReason, peerTitle, skopeo, storeReference } from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { importImage } from '../../src/import/importImage.ts';
import { writeDirImage } from '../support/dirImage.ts';
import { configBytes, json, layerTar, type RawDescriptor } from '../support/imageParts.ts';
import { DOCKER, Layout, OCI } from '../support/layout.ts';

const A = layerTar('etc/a');
const B = layerTar('etc/b');
const LAYERS = [A, B];
const AMD64 = { platform: { os: 'linux', architecture: 'amd64' } };
const UNKNOWN = { platform: { os: 'unknown', architecture: 'unknown' } };

type Make = (layout: Layout) => RawDescriptor;

/** A manifest whose fields are exactly these. */
function manifestOf(
  layout: Layout,
  fields: Record<string, unknown>,
  type: string = OCI.manifest,
): RawDescriptor {
  const config = layout.put(OCI.config, configBytes(LAYERS));
  const layers = LAYERS.map((layer) => layout.put(OCI.layer, layer));
  return layout.put(type, json({ schemaVersion: 2, config, layers, ...fields }));
}

function dockerManifest(layout: Layout, fields: Record<string, unknown> = {}): RawDescriptor {
  const config = layout.put(DOCKER.config, configBytes(LAYERS));
  const layers = LAYERS.map((layer) => layout.put(DOCKER.layer, gzipSync(layer)));
  return layout.put(
    DOCKER.manifest,
    json({ schemaVersion: 2, mediaType: DOCKER.manifest, config, layers, ...fields }),
  );
}

const TAKEN: Record<string, Make> = {
  'a manifest without a media type': (layout) => manifestOf(layout, {}),
  'a manifest with spaces in it': (layout) => {
    const { mediaType, digest } = layout.image({ layers: LAYERS });
    const bytes = layout.files.get(`blobs/sha256/${digest.slice(7)}`) as Buffer;
    return layout.put(mediaType, Buffer.from(`${JSON.stringify(JSON.parse(bytes.toString()), null, 4)}\n`));
  },
  'a manifest with fields that nobody knows': (layout) => manifestOf(layout, { subject: null, x: { y: 1 } }),
  'a manifest with annotations': (layout) => manifestOf(layout, { annotations: { a: 'b' } }),
  'a manifest without layers': (layout) => layout.image({}),
  'a manifest with null for its layers': (layout) => layout.image({ manifest: { layers: null } }),
  'a layer of a type that nobody knows': (layout) =>
    manifestOf(layout, { layers: LAYERS.map((layer) => layout.put('application/x-mine', layer)) }),
  'a layer that is not what its type says': (layout) =>
    manifestOf(layout, { layers: LAYERS.map((layer) => layout.put(`${OCI.layer}+zstd`, gzipSync(layer))) }),
  'one layer three times': (layout) => layout.image({ layers: [A, A, A] }),
  'a layer of one end block': (layout) => layout.image({ layers: [Buffer.alloc(1024)] }),
  'Docker’s manifest': (layout) => dockerManifest(layout),
  'Docker’s manifest with a config of no type': (layout) =>
    dockerManifest(layout, { config: layout.put('application/octet-stream', configBytes(LAYERS)) }),
  'Docker’s list': (layout) => {
    const manifests = [{ ...dockerManifest(layout), ...AMD64 }];
    return layout.put(DOCKER.list, json({ schemaVersion: 2, mediaType: DOCKER.list, manifests }));
  },
  'an index without a media type': (layout) =>
    layout.put(
      OCI.index,
      json({ schemaVersion: 2, manifests: [{ ...layout.image({ layers: LAYERS }), ...AMD64 }] }),
    ),
  'an index with attestations': (layout) =>
    layout.index([
      { ...layout.image({ layers: [A] }), ...UNKNOWN },
      { ...layout.image({ layers: LAYERS }), ...AMD64 },
    ]),
  'an index with one platform twice': (layout) =>
    layout.index([
      { ...layout.image({ layers: [A] }), ...AMD64 },
      { ...layout.image({ layers: [B] }), ...AMD64 },
    ]),
  'a config with fields that nobody knows': (layout) =>
    layout.image({ layers: LAYERS, config: { x: [1], Y: null } }),
  'a config without a time': (layout) => layout.image({ layers: LAYERS, config: { created: undefined } }),
  'a config of another platform': (layout) =>
    layout.image({ layers: LAYERS, config: { architecture: 's390x' } }),
};

const REFUSED: Record<string, Make> = {
  'a manifest that is no JSON': (layout) => layout.put(OCI.manifest, Buffer.from('{')),
  'a manifest of two kinds': (layout) => manifestOf(layout, { mediaType: OCI.manifest, manifests: [] }),
  'an index of two kinds': (layout) =>
    layout.put(
      OCI.index,
      json({
        schemaVersion: 2,
        mediaType: OCI.index,
        manifests: [{ ...layout.image({ layers: LAYERS }), ...AMD64 }],
        layers: [],
      }),
    ),
  'an artifact': (layout) =>
    manifestOf(layout, { config: layout.put('application/vnd.oci.empty.v1+json', Buffer.from('{}')) }),
  'a missing config': (layout) => manifestOf(layout, { config: descriptorOfNothing(OCI.config) }),
  'a missing layer': (layout) => manifestOf(layout, { layers: [descriptorOfNothing(OCI.layer)] }),
  'a digest that is a path': (layout) =>
    manifestOf(layout, { layers: [{ mediaType: OCI.layer, digest: 'sha256:../../x', size: 1 }] }),
  'an index without this platform': (layout) =>
    layout.index([{ ...layout.image({ layers: LAYERS }), platform: { os: 'linux', architecture: 's390x' } }]),
  'an empty index': (layout) => layout.index([]),
  'a config that is no object': (layout) =>
    manifestOf(layout, { config: layout.put(OCI.config, Buffer.from('[]')) }),
  'a layer that is no tar': (layout) =>
    manifestOf(layout, { layers: [layout.put(OCI.layer, Buffer.alloc(2048, 7))] }),
};

/** What skopeo 1.9.3 takes and we do not. */
const REFUSED_BY_US: Record<string, Make> = {
  'DiffIDs that are not those of the layers': (layout) =>
    layout.image({
      layers: LAYERS,
      config: { rootfs: { type: 'layers', diff_ids: [digestOf('x'), digestOf('y')] } },
    }),
};

/** What skopeo does not take and we do. */
const TAKEN_BY_US: Record<string, Make> = {
  'an index in an index': (layout) =>
    layout.index([layout.index([{ ...layout.image({ layers: LAYERS }), ...AMD64 }])]),
};

function descriptorOfNothing(mediaType: string) {
  return { mediaType, digest: digestOf('nothing'), size: 7 };
}

let scratchRoot: StoreRoot;

interface Outcome {
  readonly isTaken: boolean;
  /** The records of images and layers; without the times of layers. */
  readonly records?: unknown;
}

function recordsOf(graph: string): unknown {
  const read = (name: string) => {
    const path = join(graph, name);
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : [];
  };
  return {
    images: read('overlay-images/images.json'),
    layers: read('overlay-layers/layers.json').map(({ created, ...layer }: { created: string }) => layer),
  };
}

async function outcomeOfSkopeo(reference: string): Promise<Outcome> {
  await using root = makeStoreRoot();
  const { exitCode } = await skopeo(
    root,
    [
      '--override-os',
      'linux',
      '--override-arch',
      'amd64',
      'copy',
      '-q',
      reference,
      storeReference(root, 'localhost/x:1'),
    ],
    { mayFail: true },
  );
  return exitCode === 0 ? { isTaken: true, records: recordsOf(root.graphRoot) } : { isTaken: false };
}

async function outcomeOfOurs(reference: string): Promise<Outcome> {
  await using root = makeStoreRoot();
  const { graphRoot, runRoot, driver, env } = root;
  const options = { graphRoot, runRoot, driver, env: { ...process.env, ...env } };
  await using store = await openStore({ ...options, onWarning: () => undefined });
  try {
    await importImage(store, reference, {
      names: ['localhost/x:1'],
      platform: 'linux/amd64',
      onWarning: () => undefined,
    });
    return { isTaken: true, records: recordsOf(graphRoot) };
  } catch (error) {
    if (isStorageError(error) && error.hint) return { isTaken: false };
    throw error;
  }
}

function written(form: 'oci' | 'dir', make: Make): string {
  const layout = new Layout();
  const top = make(layout);
  const place = mkdtempSync(join(scratchRoot.path, 'odd-'));
  if (form === 'oci') return `oci:${layout.entries(top).writeTo(place)}`;
  return `dir:${writeDirImage(place, layout, top)}`;
}

/** An image without a time gets that of its import. */
function withoutTimeOfImport(records: unknown, make: Make): string {
  const text = JSON.stringify(records);
  const isTimed = [...new Layout().entries().files.values(), ...filesOf(make)].some((bytes) =>
    bytes.includes('"created"'),
  );
  return isTimed ? text : text.replaceAll(/"created":"[^"]*"/g, '');
}

function filesOf(make: Make): Iterable<Buffer> {
  const layout = new Layout();
  make(layout);
  return layout.files.values();
}

describe.skipIf(peersSkipReason)(peerTitle('odd sources'), () => {
  beforeAll(() => {
    scratchRoot = makeStoreRoot();
  });
  afterAll(() => scratchRoot?.dispose());

  describe.each(['oci', 'dir'] as const)('%s', (form) => {
    it.each(Object.entries(TAKEN))('both take %s', async (_, make) => {
      const reference = written(form, make);
      const [theirs, ours] = [await outcomeOfSkopeo(reference), await outcomeOfOurs(reference)];
      expect([theirs.isTaken, ours.isTaken]).toEqual([true, true]);
      expect(withoutTimeOfImport(ours.records, make)).toBe(withoutTimeOfImport(theirs.records, make));
    });

    it.each(Object.entries(REFUSED))('both refuse %s', async (_, make) => {
      const reference = written(form, make);
      expect([(await outcomeOfSkopeo(reference)).isTaken, (await outcomeOfOurs(reference)).isTaken]).toEqual([
        false,
        false,
      ]);
    });

    it.each(Object.entries(REFUSED_BY_US))('skopeo takes, and we do not, %s', async (_, make) => {
      const reference = written(form, make);
      expect([(await outcomeOfSkopeo(reference)).isTaken, (await outcomeOfOurs(reference)).isTaken]).toEqual([
        true,
        false,
      ]);
    });

    it.each(Object.entries(TAKEN_BY_US))('we take, and skopeo does not, %s', async (_, make) => {
      const reference = written(form, make);
      expect([(await outcomeOfSkopeo(reference)).isTaken, (await outcomeOfOurs(reference)).isTaken]).toEqual([
        false,
        true,
      ]);
    });
  });

  it('signatures of an image directory are recorded as skopeo records them', async () => {
    for (const texts of [[], ['\x90one'], ['\x90one', '\x90two and more']]) {
      const reference = written('dir', (layout) => layout.image({ layers: LAYERS }));
      for (const [i, text] of texts.entries()) {
        writeFileSync(join(reference.slice(4), `signature-${i + 1}`), text, 'latin1');
      }
      const [theirs, ours] = [await outcomeOfSkopeo(reference), await outcomeOfOurs(reference)];
      expect(ours).toEqual(theirs);
    }
  });

  it('the directory that skopeo makes of an index is read with all of it', async () => {
    const layout = new Layout();
    const manifests = ['amd64', 's390x'].map((architecture) => ({
      ...layout.image({ layers: [layerTar(architecture)], config: { architecture } }),
      platform: { os: 'linux', architecture },
    }));
    const from = layout.entries(layout.index(manifests)).writeTo(mkdtempSync(join(scratchRoot.path, 'all-')));
    const to = join(scratchRoot.path, 'all');
    await skopeo(scratchRoot, ['copy', '-q', '--all', `oci:${from}`, `dir:${to}`]);
    expect(await outcomeOfOurs(`dir:${to}`)).toEqual(await outcomeOfSkopeo(`dir:${to}`));
  });
});
