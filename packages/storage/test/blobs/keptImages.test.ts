import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import {
  addToStore,
  chunks,
  digestsOf,
  document,
  indexOf,
  keep,
  keepableImage,
  putLayers,
} from '../support/keptImages.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore)('kept images', () => {
  let roots: TempRoots;
  let store: Store;

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
  });
  afterEach(async () => await roots.cleanup());

  const place = (...parts: string[]) => join(roots.graphRoot, 'sediment', ...parts);
  const blobPath = (digest: Digest) => place('oci', 'blobs', ...digest.split(':'));
  const image = (name: string, contents?: string[]) => keepableImage(roots.directory, name, contents);
  const layoutEntries = () => JSON.parse(readFileSync(place('oci', 'index.json'), 'utf8')).manifests;
  const keptDigests = async () => (await store.blobs.list()).map(({ digest }) => digest);

  it('lists an image in the layout, once for each name', async () => {
    const app = image('app');
    await addToStore(store, app);
    await store.images.addNames(app.id, ['localhost/other:2']);
    await putLayers(store, app);
    await store.blobs.keepImage({ ...app.request, annotations: { 'org.example.note': 'x' } });
    const { manifest, config } = app.request;
    const descriptor = {
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
    };
    expect(layoutEntries()).toEqual(
      ['localhost/other:2', 'localhost/app:1'].map((name) => ({
        ...descriptor,
        annotations: {
          'org.opencontainers.image.ref.name': name,
          'io.containerd.image.name': name,
          'org.example.note': 'x',
          'io.sediment.image.id': app.id,
        },
      })),
    );
    expect(await store.blobs.image(app.id)).toEqual({
      imageId: app.id,
      names: ['localhost/other:2', 'localhost/app:1'],
      manifest: descriptor,
      config: { mediaType: config.mediaType, digest: config.digest, size: config.bytes.length },
      layers: app.request.layers,
      allPlatforms: false,
      annotations: { 'org.example.note': 'x' },
      pinned: false,
      complete: true,
    });
    expect(await store.blobs.images()).toHaveLength(1);
    expect(await keptDigests()).toEqual(digestsOf(app));
    const layer = app.request.layers[0];
    expect(await store.blobs.stat(layer?.digest as Digest)).toMatchObject({
      mediaType: layer?.mediaType,
      diffID: layer?.diffID,
      images: [app.id],
    });
    await expect(store.blobs.delete(config.digest)).rejects.toMatchObject({
      code: 'BLOB_IN_USE',
      facts: { usedBy: [app.id] },
    });
  });

  it('lists an image without a name, too', async () => {
    const app = image('app');
    await keep(store, app);
    await store.images.setNames(app.id, []);
    expect(layoutEntries()).toMatchObject([{ digest: app.request.manifest.digest }]);
    expect(layoutEntries()[0].annotations).toEqual({ 'io.sediment.image.id': app.id });
    expect(await store.blobs.image(app.id)).toMatchObject({ names: [] });
  });

  it('follows the names of the store', async () => {
    const [one, two] = [image('one'), image('two')];
    await keep(store, one);
    await addToStore(store, two);
    await store.images.addNames(two.id, ['localhost/one:1']);
    expect(await store.blobs.image(one.id)).toMatchObject({ names: [] });
    await store.objects.addNames(one.id, ['localhost/again:1']);
    expect(await store.blobs.image(one.id)).toMatchObject({ names: ['localhost/again:1'] });
    await store.images.create({ names: [] });
    await store.images.put({
      id: two.id,
      layer: (await store.images.get(two.id)).layer ?? '',
      names: ['localhost/again:1'],
      bigData: [],
    });
    expect(await store.blobs.image(one.id)).toMatchObject({ names: [] });
  });

  it('refuses an image of which something is missing', async () => {
    const app = image('app');
    await expect(store.blobs.keepImage(app.request)).rejects.toMatchObject({ code: 'IMAGE_UNKNOWN' });
    await addToStore(store, app);
    await expect(store.blobs.keepImage(app.request)).rejects.toMatchObject({
      code: 'BLOB_UNKNOWN',
      facts: { object: app.request.layers[0]?.digest },
    });
    expect(await store.blobs.images()).toEqual([]);
    await putLayers(store, app);
    const wrong = { ...app.request.manifest, digest: digestOf('x') };
    await expect(store.blobs.keepImage({ ...app.request, manifest: wrong })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    const schema1 = document('application/vnd.docker.distribution.manifest.v1+json', { schemaVersion: 1 });
    await expect(store.blobs.keepImage({ ...app.request, manifest: schema1 })).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
    });
  });

  it('drops the blobs with the image, but those that another one owns or that are pinned', async () => {
    const one = image('one', ['shared', 'own 1', 'pinned']);
    const two = image('two', ['shared', 'own 2']);
    await keep(store, one);
    await keep(store, two);
    const [shared, own, pinned] = one.request.layers.map(({ digest }) => digest) as [Digest, Digest, Digest];
    await store.blobs.pin(pinned);
    expect(await store.blobs.stat(shared)).toMatchObject({ images: [one.id, two.id].sort() });
    await store.images.delete(one.id);
    expect(await keptDigests()).toEqual([...digestsOf(two), pinned].sort());
    expect(existsSync(blobPath(own))).toBe(false);
    expect(await store.blobs.image(one.id)).toBeUndefined();
    await store.objects.delete(two.id);
    expect(await keptDigests()).toEqual([pinned]);
    expect(layoutEntries()).toEqual([]);
    expect(roots.warnings).toEqual([]);
  });

  it('drops the blobs and keeps the image', async () => {
    const app = image('app');
    await keep(store, app);
    const { bytes } = await store.blobs.usage();
    expect(await store.blobs.dropImage(app.id)).toEqual({ blobs: 4, bytes });
    expect(await store.images.get(app.id)).toMatchObject({ names: [app.name] });
    expect(await keptDigests()).toEqual([]);
  });

  it('drops all with a wipe', async () => {
    await keep(store, image('one'));
    await keep(store, image('two'));
    await store.wipe();
    expect(await keptDigests()).toEqual([]);
    expect(layoutEntries()).toEqual([]);
  });

  it('replaces the manifest of an image that comes in another form', async () => {
    const app = image('app');
    await keep(store, app);
    const other = { ...app.request, manifest: withNote(app.request.manifest) };
    await store.blobs.keepImage(other);
    expect(await store.blobs.image(app.id)).toMatchObject({ manifest: { digest: other.manifest.digest } });
    expect(await store.blobs.has(app.request.manifest.digest)).toBe(false);
    expect(await keptDigests()).toHaveLength(4);
  });

  it('refers to the index if all its platforms are kept, and else to the manifest', async () => {
    const [amd, arm] = [image('amd'), image('arm')];
    const index = indexOf(amd.request.manifest, arm.request.manifest);
    await keep(store, amd, { index });
    const descriptor = { mediaType: index.mediaType, digest: index.digest, size: index.bytes.length };
    expect(await store.blobs.image(amd.id)).toMatchObject({ index: descriptor, allPlatforms: false });
    expect(layoutEntries()).toMatchObject([{ digest: amd.request.manifest.digest }]);
    await putLayers(store, arm);
    await store.blobs.put(chunks(arm.request.config.bytes));
    await store.blobs.keepImage({ ...amd.request, index, instances: [arm.request.manifest] });
    expect(await store.blobs.image(amd.id)).toMatchObject({
      index: descriptor,
      allPlatforms: true,
      complete: true,
      manifest: { digest: amd.request.manifest.digest, mediaType: amd.request.manifest.mediaType },
    });
    expect(layoutEntries()).toMatchObject([{ digest: index.digest }]);
    expect(await keptDigests()).toEqual([...digestsOf(amd), ...digestsOf(arm), index.digest].sort());
    expect((await store.blobs.collect({ graceMs: -1000 })).blobs).toEqual([]);
    await store.images.delete(amd.id);
    expect(await keptDigests()).toEqual([]);
  });

  it('collects what is kept for images that are no more', async () => {
    const app = image('app');
    await keep(store, app);
    // Another program deletes the image.
    const records = join(roots.graphRoot, 'overlay-images', 'images.json');
    const bytes = (await store.blobs.usage()).bytes;
    await store.close();
    writeFileSync(records, '[]');
    rmSync(join(roots.graphRoot, 'overlay-images', app.id), { recursive: true });
    store = await roots.open();
    const garbage = await store.collectGarbage();
    expect(garbage.blobs).toEqual(expect.arrayContaining(digestsOf(app)));
    expect(garbage.blobBytes).toBe(bytes);
    expect(await keptDigests()).toEqual([]);
  });

  it('drops what is kept for lost images when the next one is kept', async () => {
    const app = image('app');
    await keep(store, app);
    await store.close();
    writeFileSync(join(roots.graphRoot, 'overlay-images', 'images.json'), '[]');
    store = await roots.open();
    const next = image('next');
    await keep(store, next);
    expect(await keptDigests()).toEqual(digestsOf(next));
  });

  it('spares under the policy "pinned" what was kept for good', async () => {
    const [loose, pinned] = [image('loose'), image('pinned')];
    await keep(store, loose);
    await store.blobs.setPolicy('pinned');
    await keep(store, pinned);
    expect(await store.blobs.image(pinned.id)).toMatchObject({ pinned: true });
    expect(await store.blobs.usage()).toMatchObject({ pinned: 4 });
    expect(await store.blobs.stat(pinned.request.config.digest)).toMatchObject({ pinned: true });
    expect((await store.blobs.collect()).images).toEqual([loose.id]);
    expect(await keptDigests()).toEqual(digestsOf(pinned));
    await store.images.delete(pinned.id);
    expect(await keptDigests()).toEqual([]);
  });

  it('notes an export, and drops the blobs if they were kept for that', async () => {
    const app = image('app');
    await keep(store, app);
    const before = await store.blobs.stat(app.request.config.digest);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await store.blobs.exported(app.id);
    const after = await store.blobs.stat(app.request.config.digest);
    expect(Date.parse(after?.lastUsed ?? '')).toBeGreaterThan(Date.parse(before?.lastUsed ?? ''));
    expect(after?.created).toBe(before?.created);
    await store.blobs.setPolicy('until-export');
    await store.blobs.exported(app.id);
    expect(await keptDigests()).toEqual([]);
    await keep(store, app, { pinned: true });
    await store.blobs.exported(app.id);
    expect(await keptDigests()).toEqual(digestsOf(app));
  });

  it('leaves what another import has asked for since', async () => {
    const app = image('app');
    await keep(store, app);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await putLayers(store, app);
    await store.images.delete(app.id);
    expect(await keptDigests()).toEqual(app.request.layers.map(({ digest }) => digest).sort());
  });

  it('leaves what somebody else listed in the layout', async () => {
    const app = image('app');
    await keep(store, app);
    const path = place('oci', 'index.json');
    const [entry] = layoutEntries();
    writeFileSync(
      path,
      JSON.stringify({ schemaVersion: 2, manifests: [entry, { ...entry, annotations: {} }] }),
    );
    await store.images.delete(app.id);
    expect(await keptDigests()).toEqual(digestsOf(app));
    expect(layoutEntries()).toHaveLength(1);
    expect((await store.blobs.collect({ graceMs: -1000 })).blobs).toEqual([]);
  });

  it('says that an image is not complete when a blob is lost or cut off', async () => {
    const app = image('app');
    await keep(store, app);
    const [layer] = app.request.layers;
    truncateSync(blobPath(layer?.digest as Digest), 1);
    expect(await store.blobs.image(app.id)).toMatchObject({ complete: false });
    await putLayers(store, app);
    expect(await store.blobs.image(app.id)).toMatchObject({ complete: true });
    rmSync(blobPath(app.request.manifest.digest));
    expect(await store.blobs.image(app.id)).toMatchObject({ complete: false, layers: [] });
    await store.blobs.keepImage(app.request);
    expect(await store.blobs.image(app.id)).toMatchObject({ complete: true });
  });

  it('is read without index and locks in a snapshot', async () => {
    const app = image('app');
    await keep(store, app);
    const listed = await store.blobs.list();
    rmSync(place('index.sqlite'));
    const snapshot = await roots.open({ access: 'snapshot' });
    expect(await snapshot.blobs.image(app.id)).toEqual(await store.blobs.image(app.id));
    const bare = (await snapshot.blobs.list()).map(({ digest, size, diffID, images }) => ({
      digest,
      size,
      diffID,
      images,
    }));
    expect(bare).toEqual(
      listed.map(({ digest, size, diffID, images }) => ({ digest, size, diffID, images })),
    );
    await snapshot.blobs.exported(app.id);
    expect(existsSync(place('index.sqlite'))).toBe(false);
    expect(readdirSync(place('oci')).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  function withNote(manifest: { mediaType: string; bytes: Uint8Array }) {
    return document(manifest.mediaType, {
      ...JSON.parse(String(manifest.bytes)),
      annotations: { note: '1' },
    });
  }
});
