import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { digestOf } from '@sediment/core';
import { openStore, type Store } from '@sediment/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import type { CopyEvent } from '../../src/copy/copyEvents.ts';
import { exportImage, exportImages } from '../../src/copy/exportImages.ts';
import { importImage } from '../../src/import/importImage.ts';
import { parsePlatform } from '../../src/platforms/platform.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { layerTar } from '../support/imageParts.ts';
import { Layout, layoutOf, OCI } from '../support/layout.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b', 'b'.repeat(300_000))];
const AMD64 = { platform: parsePlatform('linux/amd64') };
const isRoot = process.getuid?.() === 0;

let root: StoreRoot;
let store: Store;

const at = (name: string): string => join(root.path, name);

/** An image with gzip layers and annotations. */
function compressedLayout(name: string): string {
  const layout = new Layout();
  const blobs = LAYERS.map((layer) => gzipSync(layer));
  const manifest = {
    layers: blobs.map((blob) => ({
      ...layout.put(`${OCI.layer}+gzip`, blob),
      annotations: { b: '<2>', a: '1' },
    })),
    annotations: { 'org.example.z': 'z', 'org.example.a': 'a & b' },
  };
  return layout
    .entries(layout.image({ layers: LAYERS, blobs, manifest }, { annotations: { 'x.y': 'z' } }))
    .writeTo(at(name));
}

describe.skipIf(!isRoot)('an export from a store (needs root)', () => {
  beforeEach(async () => {
    root = makeStoreRoot();
    const { graphRoot, runRoot, driver, env } = root;
    store = await openStore({
      graphRoot,
      runRoot,
      driver,
      env: { ...process.env, ...env },
      onWarning: () => undefined,
    });
  });
  afterEach(async () => {
    await store.close();
    root.dispose();
  });

  it.each(['oci', 'oci-archive', 'docker-archive', 'dir'])(
    'to %s is what was imported, with the same id',
    async (transport) => {
      const { id } = await importImage(store, compressedLayout('in'), { ...AMD64, names: ['app:1'] });
      const to = `${transport}:${at('out')}`;
      const events: CopyEvent['type'][] = [];
      const copied = await exportImage(store, 'app:1', to, { onProgress: ({ type }) => events.push(type) });
      expect(copied).toMatchObject({ id, names: transport === 'dir' ? [] : ['localhost/app:1'] });
      await using source = await openImageSource(to);
      const opened = await source.images[0]?.open(AMD64);
      expect((await opened?.manifest())?.digest).toBe(copied.manifestDigest);
      expect(digestOf(opened?.config.bytes as Uint8Array)).toBe(`sha256:${id}`);
      expect(events.filter((type) => type !== 'layer-progress').toSorted()).toEqual([
        'commit',
        'image-done',
        'image-start',
        ...LAYERS.flatMap(() => ['layer-done']),
        ...LAYERS.flatMap(() => ['layer-start']),
      ]);
      await using other = await openStore({
        graphRoot: at('other'),
        runRoot: at('other-run'),
        driver: 'vfs',
        onWarning: () => undefined,
      });
      expect(await importImage(other, to, AMD64)).toMatchObject({ id, isNew: true });
    },
  );

  it('to a layout has gzip layers, true media types and the annotations', async () => {
    await importImage(store, compressedLayout('in'), { ...AMD64, names: ['app:1'] });
    const { layers } = await exportImage(store, 'app:1', `oci:${at('out')}`);
    expect(layers.map(({ copied }) => copied)).toEqual(['rebuilt', 'rebuilt']);
    await using source = await openImageSource(`oci:${at('out')}`);
    const manifest = JSON.parse(
      Buffer.from((await (await source.images[0]?.open(AMD64))?.manifest())?.bytes ?? []).toString(),
    );
    expect(manifest.annotations).toEqual({ 'org.example.z': 'z', 'org.example.a': 'a & b' });
    for (const [i, { mediaType, digest, size, annotations }] of manifest.layers.entries()) {
      const bytes = readFileSync(join(at('out'), 'blobs', digest.replace(':', '/')));
      expect({ mediaType, size }).toEqual({ mediaType: `${OCI.layer}+gzip`, size: bytes.length });
      expect(gunzipSync(bytes).equals(LAYERS[i] as Buffer)).toBe(true);
      expect(annotations).toEqual({ a: '1', b: '<2>' });
    }
  });

  it('joins several images, and several names of one', async () => {
    await importImage(store, compressedLayout('in'), { ...AMD64, names: ['app:1', 'app:2'] });
    const single = layoutOf([LAYERS[0] as Buffer]).writeTo(at('single'));
    const other = await importImage(store, single, { ...AMD64, names: ['other', 'another'] });
    for (const transport of ['docker-archive', 'oci', 'oci-archive']) {
      const to = `${transport}:${at(`out-${transport}`)}`;
      const copied = await exportImages(store, ['app:1', other.id, 'app:2'], to);
      expect(copied.map(({ names }) => names.toSorted())).toEqual([
        ['localhost/app:1', 'localhost/app:2'],
        ['localhost/another:latest', 'localhost/other:latest'],
      ]);
      await using source = await openImageSource(to);
      expect(source.images).toHaveLength(2);
    }
  });

  it('of a file that was tampered with fails and leaves nothing', async () => {
    const image = await importImage(store, compressedLayout('in'), { ...AMD64, names: ['app:1'] });
    const { UpperDir } = (await store.layers.driverMetadata(image.layer as string)) as { UpperDir: string };
    writeFileSync(join(UpperDir, 'etc/b'), 'x'.repeat(300_000));
    for (const transport of ['oci-archive', 'docker-archive', 'oci', 'dir']) {
      const to = at(`out-${transport}`);
      const error = await storageErrorOf(() => exportImage(store, 'app:1', `${transport}:${to}`));
      expect(error.code).toBe('FILE_INTEGRITY');
      expect(existsSync(to)).toBe(false);
    }
  });

  it('preserves digests, or writes nothing', async () => {
    await importImage(store, compressedLayout('in'), { ...AMD64, names: ['app:1'] });
    const to = `oci-archive:${at('out')}`;
    const error = await storageErrorOf(() => exportImage(store, 'app:1', to, { preserveDigests: true }));
    expect(error.code).toBe('DIGESTS_NOT_PRESERVED');
    expect(existsSync(at('out'))).toBe(false);
    const plain = await importImage(store, layoutOf(LAYERS).writeTo(at('plain')), {
      ...AMD64,
      names: ['plain'],
    });
    const copied = await exportImage(store, 'plain', to, { preserveDigests: true });
    expect(copied.manifestDigest).toBe(plain.manifestDigest);
  });

  it('that is aborted leaves nothing', async () => {
    await importImage(store, compressedLayout('in'), { ...AMD64, names: ['app:1'] });
    for (const type of ['image-start', 'layer-start', 'layer-done'] as const) {
      for (const transport of ['oci-archive', 'docker-archive', 'dir']) {
        const abort = new AbortController();
        const onProgress = (event: CopyEvent) => event.type === type && abort.abort(new Error('enough'));
        const to = at(`${type}-${transport}`);
        const options = { onProgress, signal: abort.signal };
        const error = await storageErrorOf(() => exportImage(store, 'app:1', `${transport}:${to}`, options));
        expect(error.code).toBe('ABORTED');
        expect(existsSync(to)).toBe(false);
      }
    }
  });
});
