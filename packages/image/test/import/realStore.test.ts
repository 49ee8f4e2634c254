import { gzipSync } from 'node:zlib';
import { digestOf } from '@sediment/core';
import { type OpenStoreOptions, openStore } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import {
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
} from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import type { ImportEvent } from '../../src/import/importEvents.ts';
import { importImage } from '../../src/import/importImage.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { layerTar } from '../support/imageParts.ts';
import { Layout, layoutOf } from '../support/layout.ts';
import { scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b')];
const AMD64 = { platform: 'linux/amd64' };
const isRoot = process.getuid?.() === 0;

function storeOptions({ graphRoot, runRoot, driver, env }: StoreRoot): OpenStoreOptions {
  return { graphRoot, runRoot, driver, env: { ...process.env, ...env }, onWarning: () => undefined };
}

describe.skipIf(!isRoot).each(['overlay', 'vfs'] as const)(
  'an import into a store with %s (needs root)',
  (driver) => {
    it('records the image, with its documents as they are', async () => {
      await using root = makeStoreRoot({ driver });
      await using store = await openStore(storeOptions(root));
      const path = scratchFile(gzipSync(layoutOf(LAYERS, 'app:1').tar()));
      const events: string[] = [];
      const image = await importImage(store, path, {
        ...AMD64,
        onProgress: ({ type }) => events.push(type),
        spoolDirectory: root.tmp,
      });
      expect(image).toMatchObject({ isNew: true, names: ['localhost/app:1'] });
      expect(await store.images.get('localhost/app:1')).toMatchObject({ id: image.id, layer: image.layer });
      for (const { name, digest } of image.bigData) {
        expect(digestOf(await store.images.bigData(image.id, name))).toBe(digest);
      }
      expect(events.filter((type) => type !== 'layer-progress').toSorted()).toEqual([
        'image-done',
        'image-start',
        'layer-done',
        'layer-done',
        'layer-start',
        'layer-start',
      ]);
      const again = await importImage(store, path, { ...AMD64, names: ['other'] });
      expect(again).toMatchObject({
        id: image.id,
        isNew: false,
        names: ['localhost/other:latest', 'localhost/app:1'],
      });
    });

    it('refuses layers that are not what they claim, and leaves no image', async () => {
      await using root = makeStoreRoot({ driver });
      await using store = await openStore(storeOptions(root));
      const [a, b] = LAYERS as [Buffer, Buffer];
      const swapped = new Layout();
      swapped.entries(swapped.image({ layers: LAYERS, blobs: [b, a] }));
      const tampered = layoutOf(LAYERS);
      tampered.files.set(
        Layout.pathOf(a),
        Buffer.from(a.toString('latin1').replace('content', 'CONTENT'), 'latin1'),
      );
      const docker = dockerArchive([{ layers: LAYERS, blobs: [b, a] }]);
      const cut = dockerArchive([{ layers: LAYERS, blobs: [gzipSync(a).subarray(0, 60), b] }]);
      const cases = [
        [swapped.tar(), 'DIFF_ID_MISMATCH'],
        [tampered.tar(), 'DIGEST_MISMATCH'],
        [docker, 'DIFF_ID_MISMATCH'],
        [gzipSync(docker), 'DIFF_ID_MISMATCH'],
        [cut, 'COMPRESSION_INVALID'],
      ] as const;
      for (const [bytes, code] of cases) {
        const path = scratchFile(bytes);
        const error = await storageErrorOf(() => importImage(store, path, AMD64));
        expect(error.code).toBe(code);
        if (code !== 'COMPRESSION_INVALID') expect(error.facts.path).toBe(path);
        expect(error.message).toContain(`of ${path}`);
        expect(error.hint).toBeTruthy();
      }
      expect(await store.images.list()).toEqual([]);
      expect(await store.layers.list()).toEqual([]);
    });

    it('refuses an image whose id is taken by other layers', async () => {
      await using root = makeStoreRoot({ driver });
      await using store = await openStore(storeOptions(root));
      // The config names no layers, so one image id comes with two of them.
      const [first, second] = LAYERS.map((layer) => {
        const layout = new Layout();
        return scratchFile(
          layout.entries(layout.image({ layers: [layer], config: { rootfs: undefined } })).tar(),
        );
      }) as [string, string];
      const image = await importImage(store, first, { ...AMD64, names: ['first'] });
      const error = await storageErrorOf(() => importImage(store, second, { ...AMD64, names: ['second'] }));
      expect(error).toMatchObject({ code: 'IMAGE_CONFLICT', facts: { object: image.id } });
      expect(await store.images.list()).toMatchObject([
        { layer: image.layer, names: ['localhost/first:latest'] },
      ]);
    });

    it('that is aborted leaves no image and no layer', async () => {
      await using root = makeStoreRoot({ driver });
      await using store = await openStore(storeOptions(root));
      const big = layerTar('big', 'x'.repeat(2 ** 23));
      const path = scratchFile(gzipSync(layoutOf([big, ...LAYERS]).tar()));
      for (const type of ['image-start', 'layer-start', 'layer-progress'] as const) {
        const abort = new AbortController();
        const onProgress = (event: ImportEvent) => event.type === type && abort.abort(new Error('enough'));
        const options = { ...AMD64, onProgress, signal: abort.signal, spoolDirectory: root.tmp };
        const error = await storageErrorOf(() => importImage(store, path, options));
        expect(error.code).toBe('ABORTED');
      }
      expect(await store.images.list()).toEqual([]);
      expect(await store.layers.list()).toEqual([]);
      expect(await importImage(store, path, AMD64)).toMatchObject({ isNew: true });
    });

    it.skipIf(peersSkipReason)(peerTitle('is what podman lists and skopeo copies'), async () => {
      await using root = makeStoreRoot({ driver });
      const layout = new Layout();
      const manifest = layout.image({ layers: LAYERS }, { platform: { os: 'linux', architecture: 'amd64' } });
      const index = layout.index([manifest]);
      const docker = dockerArchive([
        { layers: [...LAYERS, layerTar('c')], blobs: LAYERS.concat(gzipSync(layerTar('c'))) },
      ]);
      const sources = [
        [scratchFile(layout.entries(index).tar()), 'oci'],
        [scratchFile(docker), 'docker'],
      ] as const;
      for (const [path, name] of sources) {
        await using store = await openStore(storeOptions(root));
        const { id } = await importImage(store, path, { ...AMD64, names: [name] });
        const listed = await podman(root, [
          'images',
          '--no-trunc',
          '--format',
          '{{.ID}}',
          `localhost/${name}`,
        ]);
        expect(listed.stdout.trim()).toBe(`sha256:${id}`);
        const reference = storeReference(root, `localhost/${name}`);
        const raw = await skopeo(root, ['inspect', '--raw', reference]);
        expect(Buffer.from(raw.stdout).equals(await store.images.bigData(id, 'manifest'))).toBe(true);
        await skopeo(root, ['copy', '-q', reference, `dir:${root.path}/out-${name}`]);
      }
    });
  },
);
