import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openStore, type Store } from '@sediment/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import type { CopyEvent } from '../../src/copy/copyEvents.ts';
import { copyImage, copyImages } from '../../src/copy/copyImages.ts';
import { importImage } from '../../src/import/importImage.ts';
import { layerTar } from '../support/imageParts.ts';
import { Layout, OCI } from '../support/layout.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b')];
const isRoot = process.getuid?.() === 0;

let root: StoreRoot;
let store: Store;
const at = (name: string): string => join(root.path, name);

function gzipLayout(note = ''): { from: string; digest: string; id: string } {
  const layout = new Layout();
  const blobs = LAYERS.map((layer) => gzipSync(layer));
  const manifest = { layers: blobs.map((blob) => layout.put(`${OCI.layer}+gzip`, blob)) };
  const image = layout.image({ layers: LAYERS, blobs, manifest, config: { note } });
  const path = layout.entries(image).writeTo(at(`in${note}`));
  const config = JSON.parse(String(layout.files.get(`blobs/sha256/${image.digest.slice(7)}`))).config;
  return { from: `oci:${path}`, digest: image.digest, id: config.digest.slice(7) };
}

describe.skipIf(!isRoot)('a copy to a store (needs root)', () => {
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

  it('has exactly the name that was given, and further ones', async () => {
    const { from, digest, id } = gzipLayout();
    const events: CopyEvent['type'][] = [];
    const copied = await copyImage(from, 'containers-storage:app', {
      store,
      additionalNames: ['other:2'],
      onProgress: ({ type }) => events.push(type),
    });
    const names = ['docker.io/library/app:latest', 'docker.io/library/other:2'];
    expect(copied).toMatchObject({ id, names, manifestDigest: digest });
    expect(copied.layers.map((layer) => layer.copied)).toEqual(['unpacked', 'unpacked']);
    expect((await store.images.get(id)).names).toEqual(names);
    expect(events.filter((type) => type.startsWith('image'))).toEqual(['image-start', 'image-done']);
    const again = await copyImage(from, 'containers-storage:localhost/app:2', { store });
    expect(again.layers.map((layer) => layer.copied)).toEqual(['present', 'present']);
  });

  it('is only of the image that the reference names', async () => {
    const { from, digest, id } = gzipLayout();
    const wrong = 'f'.repeat(64);
    for (const rest of [`app@sha256:${wrong}`, `app@${wrong}`, `@${wrong}`]) {
      const error = await storageErrorOf(() => copyImage(from, `containers-storage:${rest}`, { store }));
      expect(error).toMatchObject({ code: 'DIGEST_MISMATCH', hint: expect.any(String) });
      expect(await store.images.list()).toEqual([]);
      expect(await store.layers.list()).toEqual([]);
    }
    await copyImage(from, `containers-storage:@${id}`, { store });
    expect((await store.images.get(id)).names).toEqual([]);
    await copyImage(from, `containers-storage:app@${digest}`, { store });
    expect((await store.images.get(id)).names).toEqual([`docker.io/library/app@${digest}`]);
    await copyImage(from, `containers-storage:b:1@${id}`, { store });
    expect((await store.images.get(id)).names[0]).toBe('docker.io/library/b:1');
  });

  it('has no form to choose, and takes one image', async () => {
    const { from } = gzipLayout();
    for (const options of [{ format: 'v2s2' }, { compression: 'gzip' }] as const) {
      const error = await storageErrorOf(() =>
        copyImage(from, 'containers-storage:app', { store, ...options }),
      );
      expect(error.code).toBe('NOT_SUPPORTED');
    }
    const layout = new Layout();
    const images = ['a', 'b'].map((note) => layout.image({ layers: LAYERS, config: { note } }));
    const index = layout.index(
      images.map((image) => ({ ...image, platform: { os: 'linux', architecture: 'amd64' } })),
    );
    const multi = `oci:${layout.entries(index).writeTo(at('multi'))}`;
    const options = { store, allPlatforms: true };
    const error = await storageErrorOf(() => copyImage(multi, 'containers-storage:app', options));
    expect(error).toMatchObject({ code: 'INDEX_UNSUPPORTED' });
    expect(error.message).toContain('destination transport "containers-storage" does not support');
    const several = `oci:${layout.entries(...images).writeTo(at('several'))}`;
    await expect(copyImages(several, 'containers-storage:app', { store })).rejects.toThrow(TypeError);
  });

  it('goes from one store to another, and back', async () => {
    const { from, digest, id } = gzipLayout();
    await importImage(store, from, { names: ['localhost/app:1'] });
    const other = `[vfs@${at('graph2')}+${at('run2')}]`;
    const there = await copyImage(
      'containers-storage:localhost/app:1',
      `containers-storage:${other}localhost/app:2`,
      {
        store,
      },
    );
    expect(there).toMatchObject({ id, manifestDigest: digest, names: ['localhost/app:2'] });
    const file = await copyImage(
      `containers-storage:${other}localhost/app:2`,
      `oci-archive:${at('out.tar')}`,
    );
    expect(file).toMatchObject({ id, names: ['localhost/app:2'] });
    const back = await copyImage(`containers-storage:${other}${id}`, 'containers-storage:localhost/back:1', {
      store,
    });
    expect(back.layers.map((layer) => layer.copied)).toEqual(['present', 'present']);
    expect((await store.images.get(id)).names).toEqual(['localhost/back:1', 'localhost/app:1']);
    const imported = await importImage(store, `containers-storage:${other}localhost/app:2`);
    expect(imported).toMatchObject({ id, isNew: false });
    expect(imported.names[0]).toBe('localhost/app:2');
    const same = `[overlay@${root.graphRoot}+${root.runRoot}]`;
    await copyImage(`containers-storage:${same}${id}`, 'containers-storage:localhost/again', { store });
    expect((await store.images.get(id)).names[0]).toBe('localhost/again:latest');
  });

  it('knows no image that is not there', async () => {
    const error = await storageErrorOf(() =>
      copyImage('containers-storage:localhost/no:1', `dir:${at('out')}`, { store }),
    );
    expect(error.code).toBe('IMAGE_UNKNOWN');
    expect(error.message).toContain('does not resolve to an image ID');
  });

  it('that is aborted leaves the store as it was', async () => {
    const { from } = gzipLayout();
    for (const type of ['image-start', 'layer-start'] as const) {
      const abort = new AbortController();
      const onProgress = (event: CopyEvent) => event.type === type && abort.abort(new Error('enough'));
      const error = await storageErrorOf(() =>
        copyImage(from, 'containers-storage:app', { store, onProgress, signal: abort.signal }),
      );
      expect(error.code).toBe('ABORTED');
    }
    expect(await store.images.list()).toEqual([]);
    expect(await store.layers.list()).toEqual([]);
  });
});
