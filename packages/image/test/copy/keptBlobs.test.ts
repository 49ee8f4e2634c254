import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf, type Warning } from '@sediment/core';
import { openStore, type Store } from '@sediment/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { copyImage } from '../../src/copy/copyImages.ts';
import { exportImage } from '../../src/copy/exportImages.ts';
import { importImage } from '../../src/import/importImage.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { layerTar } from '../support/imageParts.ts';
import { Layout, OCI } from '../support/layout.ts';
import { scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b', 'b'.repeat(300_000))];
const AMD64 = { platform: 'linux/amd64' };
const isRoot = process.getuid?.() === 0;

let root: StoreRoot;
let store: Store;

const at = (name: string): string => join(root.path, name);

function addImage(layout: Layout, note: string) {
  const blobs = LAYERS.map((layer) => gzipSync(layer, { level: 1 }));
  const manifest = { layers: blobs.map((blob) => layout.put(`${OCI.layer}+gzip`, blob)) };
  return layout.image({ layers: LAYERS, blobs, manifest, config: { note } });
}

function compressedLayout(): { path: string; digest: string } {
  const layout = new Layout();
  const image = addImage(layout, 'single');
  return { path: layout.entries(image).writeTo(at('in')), digest: image.digest };
}

describe.skipIf(!isRoot)('kept blobs (needs root)', () => {
  beforeEach(async () => {
    root = makeStoreRoot();
    const { graphRoot, runRoot, driver, env } = root;
    const options = { graphRoot, runRoot, driver, env: { ...process.env, ...env } };
    store = await openStore({ ...options, onWarning: () => undefined });
  });
  afterEach(async () => {
    await store.close();
    root.dispose();
  });

  it.each(['oci', 'oci-archive', 'dir'])('go to %s as they came', async (transport) => {
    const { path, digest } = compressedLayout();
    await importImage(store, path, { ...AMD64, names: ['app'], keepBlobs: true });
    const copied = await exportImage(store, 'app', `${transport}:${at('out')}`, { preserveDigests: true });
    expect(copied.manifestDigest).toBe(digest);
    expect(copied.layers.map((layer) => layer.copied)).toEqual(['bytes', 'bytes']);
  });

  it('are put for layers that the store has, when they are asked for later', async () => {
    const { path, digest } = compressedLayout();
    const { id } = await importImage(store, path, { ...AMD64, names: ['app'] });
    expect(await store.blobs.image(id)).toBeUndefined();
    await importImage(store, path, { ...AMD64, names: ['app'], keepBlobs: true });
    expect(await store.blobs.image(id)).toMatchObject({ complete: true, manifest: { digest } });
    const [layer] = (await store.blobs.image(id))?.layers ?? [];
    expect(await store.blobs.stat(layer?.digest as never)).toMatchObject({
      diffID: digestOf(LAYERS[0] as Buffer),
      diffSize: LAYERS[0]?.length,
      compression: 'gzip',
      images: [id],
    });
  });

  it('are kept as the store is set to do, and dropped after the export', async () => {
    await store.blobs.setPolicy('until-export');
    const { id } = await importImage(store, compressedLayout().path, { ...AMD64, names: ['app'] });
    expect((await store.blobs.image(id))?.complete).toBe(true);
    await exportImage(store, 'app', `oci-archive:${at('out')}`);
    expect(await store.blobs.image(id)).toBeUndefined();
    expect((await store.blobs.usage()).blobs).toBe(0);
    await importImage(store, compressedLayout().path, { ...AMD64, names: ['app'], keepBlobs: false });
    expect(await store.blobs.image(id)).toBeUndefined();
  });

  it('of a docker-archive are the plain layers', async () => {
    const blobs = LAYERS.map((layer) => gzipSync(layer));
    const path = scratchFile(dockerArchive([{ layers: LAYERS, blobs, tags: ['app:1'] }]));
    const image = await importImage(store, path, { ...AMD64, keepBlobs: true });
    const copied = await exportImage(store, image.id, `oci:${at('out')}`, { preserveDigests: true });
    expect(copied.manifestDigest).toBe(image.manifestDigest);
    const back = await exportImage(store, image.id, `docker-archive:${at('out.tar')}`, {
      preserveDigests: true,
    });
    expect(back.manifestDigest).toBe(image.manifestDigest);
  });

  it('hold all platforms of an index, if that is asked for', async () => {
    const layout = new Layout();
    const platforms = ['amd64', 'arm64'].map((architecture) => ({
      ...addImage(layout, architecture),
      platform: { os: 'linux', architecture },
    }));
    const index = layout.index(platforms);
    const path = layout.entries(index).writeTo(at('multi'));
    const error = await storageErrorOf(() => importImage(store, path, { ...AMD64, allPlatforms: true }));
    expect(error.code).toBe('NOT_SUPPORTED');
    const options = { ...AMD64, names: ['app'], keepBlobs: true, allPlatforms: true };
    const { id } = await importImage(store, path, options);
    expect(await store.blobs.image(id)).toMatchObject({ allPlatforms: true, complete: true });
    const copied = await exportImage(store, 'app', `oci-archive:${at('out')}`, { allPlatforms: true });
    expect(copied).toMatchObject({ manifestDigest: index.digest, names: ['localhost/app:latest'] });
    await using source = await openImageSource(`oci-archive:${at('out')}`);
    for (const { platform, digest } of platforms) {
      const opened = await source.images[0]?.open({ platform });
      expect((await opened?.manifest())?.digest).toBe(digest);
    }
    const one = await exportImage(store, 'app', `oci:${at('one')}`);
    expect(one.manifestDigest).toBe(platforms[0]?.digest);
  });

  it('that are damaged are made anew with a warning, unless digests are to be preserved', async () => {
    const { path, digest } = compressedLayout();
    await importImage(store, path, { ...AMD64, names: ['app'], keepBlobs: true });
    const [layer] = JSON.parse(readFileSync(join(path, 'blobs', digest.replace(':', '/')), 'utf8')).layers;
    const file = join(root.graphRoot, 'sediment/oci/blobs', layer.digest.replace(':', '/'));
    const bytes = readFileSync(file);
    bytes[bytes.length - 9] ^= 1;
    writeFileSync(file, bytes);
    const exact = { preserveDigests: true };
    const error = await storageErrorOf(() => exportImage(store, 'app', `oci:${at('exact')}`, exact));
    expect(error.code).toBe('DIGEST_MISMATCH');
    const warnings: Warning[] = [];
    const onWarning = (warning: Warning) => warnings.push(warning);
    const copied = await exportImage(store, 'app', `oci:${at('out')}`, { onWarning });
    expect(copied.layers.map((each) => each.copied)).toEqual(['rebuilt', 'bytes']);
    expect(warnings).toMatchObject([{ code: 'KEPT_BLOB_DAMAGED', object: layer.digest }]);
    const plain = await exportImage(store, 'app', `docker-archive:${at('plain')}`, { onWarning });
    expect(plain.layers.map((each) => each.copied)).toEqual(['rebuilt', 'decompressed']);
    expect(warnings).toHaveLength(2);
    const again = await copyImage(`oci:${at('out')}`, `dir:${at('dir')}`);
    expect(again.layers.map((each) => each.digest)).toEqual(copied.layers.map((each) => each.digest));
  });
});
