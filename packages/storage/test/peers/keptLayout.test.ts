/** What other programs make of the layout of kept blobs, and of a store that has one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
  umoci,
} from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { openStore, type Store } from '../../src/index.ts';
import { expectValidLayout } from '../support/checkLayout.ts';
import {
  chunks,
  digestsOf,
  indexOf,
  type KeepableImage,
  keep,
  keepableImage,
  putLayers,
} from '../support/keptImages.ts';

describe.skipIf(peersSkipReason)(peerTitle('the layout of kept blobs'), () => {
  let root: StoreRoot;
  let store: Store;
  let app: KeepableImage;
  const layout = () => join(root.graphRoot, 'sediment', 'oci');
  const manifestText = () => String(app.request.manifest.bytes);

  beforeEach(async () => {
    root = makeStoreRoot();
    app = keepableImage(root.path, 'app', ['shared', 'app']);
    await open();
    await keep(store, app);
  });
  afterEach(async () => {
    await store.close();
    root.dispose();
  });

  async function open(): Promise<void> {
    const { graphRoot, runRoot } = root;
    store = await openStore({ graphRoot, runRoot, driver: 'overlay', env: { HOME: root.path } });
  }

  it('skopeo inspects and copies it in place, byte for byte', async () => {
    const reference = `oci:${layout()}:${app.name}`;
    expect((await skopeo(root, ['inspect', '--raw', reference])).stdout).toBe(manifestText());
    const inspected = JSON.parse((await skopeo(root, ['inspect', reference])).stdout);
    expect(inspected).toMatchObject({
      Digest: app.request.manifest.digest,
      Layers: app.request.layers.map(({ digest }) => digest),
      Labels: { name: 'app' },
    });
    const copy = join(root.path, 'copy');
    await skopeo(root, ['copy', '--preserve-digests', reference, `dir:${copy}`]);
    expect(readFileSync(join(copy, 'manifest.json'), 'utf8')).toBe(manifestText());
    for (const { digest } of app.request.layers) {
      expect(digestOf(readFileSync(join(copy, digest.slice('sha256:'.length))))).toBe(digest);
    }
  });

  it('skopeo finds the only image of a layout without asking for a name', async () => {
    await store.images.setNames(app.id, []);
    expect((await skopeo(root, ['inspect', '--raw', `oci:${layout()}`])).stdout).toBe(manifestText());
  });

  it('skopeo copies all platforms of an index', async () => {
    const arm = keepableImage(root.path, 'arm', ['arm']);
    const index = indexOf(app.request.manifest, arm.request.manifest);
    await putLayers(store, arm);
    await store.blobs.put(chunks(arm.request.config.bytes));
    await store.blobs.keepImage({ ...app.request, index, instances: [arm.request.manifest] });
    const reference = `oci:${layout()}:${app.name}`;
    expect((await skopeo(root, ['inspect', '--raw', reference])).stdout).toBe(String(index.bytes));
    const copy = join(root.path, 'copy');
    await skopeo(root, ['copy', '--all', '--preserve-digests', reference, `oci:${copy}:all`]);
    expect(readdirSync(join(copy, 'blobs', 'sha256'))).toHaveLength(8);
  });

  it('umoci lists, shows and unpacks it in place', async () => {
    const before = readFileSync(join(layout(), 'index.json'), 'utf8');
    expect((await umoci(['ls', '--layout', layout()])).stdout.trim()).toBe(app.name);
    const stat = JSON.parse((await umoci(['stat', '--json', '--image', `${layout()}:${app.name}`])).stdout);
    expect(stat.history ?? []).toBeInstanceOf(Array);
    const bundle = join(root.path, 'bundle');
    await umoci(['unpack', '--image', `${layout()}:${app.name}`, bundle]);
    expect(readFileSync(join(bundle, 'rootfs', 'etc', 'content'), 'utf8')).toBe('app');
    expect(readFileSync(join(layout(), 'index.json'), 'utf8')).toBe(before);
  });

  it('podman removes an image and prunes the store as if nothing were kept', async () => {
    const other = keepableImage(root.path, 'other', ['shared', 'other']);
    await keep(store, other);
    await store.close();
    expect((await podman(root, ['images', '--format', '{{.Names}}'])).stdout).toContain(app.name);
    await podman(root, ['rmi', app.name]);
    expectValidLayout(root.graphRoot);
    await podman(root, ['info']);
    await open();
    const garbage = await store.collectGarbage();
    expect(garbage.blobs.toSorted()).toEqual(
      digestsOf(app).filter((digest) => digest !== other.request.layers[0]?.digest),
    );
    expect((await store.blobs.list()).map(({ digest }) => digest)).toEqual(digestsOf(other));
    await store.close();
    await podman(root, ['system', 'prune', '-af']);
    expectValidLayout(root.graphRoot);
    expect((await podman(root, ['images', '-q'])).stdout).toBe('');
    await open();
    await store.collectGarbage();
    expect(await store.blobs.list()).toEqual([]);
    expect(await store.blobs.images()).toEqual([]);
  });

  it('what is kept of an image that skopeo renames and removes follows later', async () => {
    await podman(root, ['tag', app.name, 'localhost/renamed:2']);
    await podman(root, ['untag', app.name, app.name]);
    expect(await store.blobs.image(app.id)).toMatchObject({ names: [app.name] });
    await store.blobs.collect();
    expect(await store.blobs.image(app.id)).toMatchObject({ names: ['localhost/renamed:2'] });
    await skopeo(root, ['delete', storeReference(root, 'localhost/renamed:2')]);
    const next = keepableImage(root.path, 'next', ['next']);
    await keep(store, next);
    expect((await store.blobs.list()).map(({ digest }) => digest)).toEqual(digestsOf(next));
  });
});
