/**
 * The same copy by us and by skopeo: what is deterministic must be equal, byte for byte. What skopeo compresses anew
 * has other bytes at each program; then the tars and the config must be equal.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openStore, type Store } from '@sediment/storage';
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
import { copyImage } from '../../src/copy/copyImages.ts';
import type { CopyOptions } from '../../src/copy/copyOptions.ts';
import { exportImage, exportImages } from '../../src/copy/exportImages.ts';
import { importImage } from '../../src/import/importImage.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { layerTar } from '../support/imageParts.ts';
import { Layout, named, OCI } from '../support/layout.ts';
import { schema1Image, signedManifest, writeDir } from '../support/schema1.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b', 'b'.repeat(300_000))];
const AMD64 = { platform: 'linux/amd64' };

let root: StoreRoot;
const at = (name: string): string => join(root.path, name);

/** All files of a directory, by name. */
function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    names.toSorted().map((path) => [path.slice(directory.length + 1), readFileSync(path, 'latin1')]),
  );
}

function image(layout: Layout, architecture = 'amd64') {
  const blobs = LAYERS.map((layer) => gzipSync(layer));
  const manifest = {
    // skopeo drops annotations of layers that it compresses anew; so there are none to compare.
    layers: blobs.map((blob) => layout.put(`${OCI.layer}+gzip`, blob)),
    annotations: { 'org.example.z': 'ü', 'org.example.a': 'a & b' },
  };
  return layout.image({ layers: LAYERS, blobs, manifest, config: { architecture } });
}

function gzipLayout(): string {
  const layout = new Layout();
  return `oci:${layout.entries({ ...image(layout), ...named('localhost/app:1') }).writeTo(at('in'))}`;
}

async function copyBoth(from: string, transport: string, options: CopyOptions, flags: readonly string[]) {
  const places = { ours: at('ours'), theirs: at('theirs') };
  await copyImage(from, `${transport}:${places.ours}`, options);
  await skopeo(root, ['copy', '-q', ...flags, from, `${transport}:${places.theirs}`]);
  return places;
}

describe.skipIf(peersSkipReason)(peerTitle('a copy by us and by skopeo'), () => {
  beforeEach(() => {
    root = makeStoreRoot();
  });
  afterEach(() => root.dispose());

  it.each([
    ['as it is', {}, []],
    ['in the form of Docker', { format: 'v2s2' }, ['--format', 'v2s2']],
    ['decompressed', { compression: 'none' }, ['--dest-decompress']],
  ] as const)('of gzip layers to dir, %s', async (_, options, flags) => {
    const { ours, theirs } = await copyBoth(gzipLayout(), 'dir', options, flags);
    expect(filesOf(ours)).toEqual(filesOf(theirs));
  });

  it('of an image in the form of Docker to dir and back to OCI', async () => {
    await copyImage(gzipLayout(), `dir:${at('docker')}`, { format: 'v2s2' });
    const { ours, theirs } = await copyBoth(`dir:${at('docker')}`, 'dir', { format: 'oci' }, [
      '--format',
      'oci',
    ]);
    const manifests = [ours, theirs].map((path) =>
      JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')),
    );
    const [mine, others] = manifests;
    expect(Object.keys(mine)).toEqual(Object.keys(others));
    expect(mine.layers).toEqual(others.layers);
    expect(Object.keys(mine.config)).toEqual(Object.keys(others.config));
    expect(mine.config.mediaType).toBe(others.config.mediaType);
  });

  it('to a layout', async () => {
    const { ours, theirs } = await copyBoth(gzipLayout(), 'oci', {}, []);
    const withoutIndex = (files: Record<string, string>) => ({ ...files, 'index.json': '' });
    expect(withoutIndex(filesOf(ours))).toEqual(withoutIndex(filesOf(theirs)));
  });

  it('to docker-archive', async () => {
    const from = gzipLayout();
    const name = ':localhost/app:1';
    await copyImage(from, `docker-archive:${at('ours')}${name}`);
    await skopeo(root, ['copy', '-q', from, `docker-archive:${at('theirs')}${name}`]);
    expect(readFileSync(at('ours')).equals(readFileSync(at('theirs')))).toBe(true);
  });

  it('of an index with all platforms', async () => {
    const layout = new Layout();
    const platforms = ['amd64', 'arm64'].map((architecture) => ({
      ...image(layout, architecture),
      platform: { os: 'linux', architecture },
    }));
    const from = `oci:${layout.entries(layout.index(platforms)).writeTo(at('multi'))}`;
    const { ours, theirs } = await copyBoth(from, 'dir', { allPlatforms: true }, ['--all']);
    expect(filesOf(ours)).toEqual(filesOf(theirs));
    await copyImage(from, `oci-archive:${at('all.tar')}`, { allPlatforms: true });
    await skopeo(root, ['copy', '-q', '--all', `oci-archive:${at('all.tar')}`, `dir:${at('again')}`]);
    expect(filesOf(at('again'))).toEqual(filesOf(theirs));
  });

  it('of a docker-archive has the same layers and config', async () => {
    const from = at('docker.tar');
    writeFileSync(from, dockerArchive([{ layers: LAYERS, tags: ['app:1'] }]));
    const { ours, theirs } = await copyBoth(`docker-archive:${from}`, 'dir', {}, []);
    const blobs = (path: string) => ({ ...filesOf(path), 'manifest.json': '' });
    expect(blobs(ours)).toEqual(blobs(theirs));
  });

  it.each([
    ['as it is', {}, []],
    ['in the form of today', { format: 'v2s2' }, ['--format', 'v2s2']],
  ] as const)('of an image of schema 1, %s', async (_, options, flags) => {
    const { manifest, blobs } = schema1Image([
      { layer: LAYERS[0] as Buffer },
      {},
      { layer: LAYERS[1] as Buffer },
      { fields: { os: 'linux', architecture: 'amd64', author: 'a <b>' } },
    ]);
    const from = `dir:${writeDir(at('old'), signedManifest(manifest), blobs)}`;
    const { ours, theirs } = await copyBoth(from, 'dir', options, flags);
    // skopeo also copies the empty layer, which the new manifest does not name.
    expect(filesOf(theirs)).toMatchObject(filesOf(ours));
    const { id } = await copyImage(from, `oci:${at('layout')}`);
    expect(await copyImage(from, `docker-archive:${at('archive')}`)).toMatchObject({ id });
  });

  it('of zstd, whichever compressed it', async () => {
    const from = gzipLayout();
    const zstd = ['--dest-compress', '--dest-compress-format', 'zstd'];
    await skopeo(root, ['copy', '-q', ...zstd, from, `oci:${at('theirs')}`]);
    await copyImage(from, `oci:${at('ours')}`, { compression: 'zstd', compressionLevel: 7 });
    for (const [n, place] of ['ours', 'theirs'].entries()) {
      await copyImage(`oci:${at(place)}`, `dir:${at(`a${n}`)}`, { compression: 'none' });
      await skopeo(root, ['copy', '-q', '--dest-decompress', `oci:${at(place)}`, `dir:${at(`b${n}`)}`]);
    }
    expect(filesOf(at('a0'))).toEqual(filesOf(at('b0')));
    expect(filesOf(at('a1'))).toEqual(filesOf(at('b1')));
  });
});

describe.skipIf(peersSkipReason)(peerTitle('an export by us and by others'), () => {
  let store: Store;

  beforeEach(async () => {
    root = makeStoreRoot();
    const { graphRoot, runRoot, driver, env } = root;
    const options = { graphRoot, runRoot, driver, env: { ...process.env, ...env } };
    store = await openStore({ ...options, onWarning: () => undefined });
    await importImage(store, gzipLayout(), { ...AMD64, names: ['localhost/app:1'] });
  });
  afterEach(async () => {
    await store.close();
    root.dispose();
  });

  it('to docker-archive is the same file as that of skopeo', async () => {
    const target = (name: string) => `docker-archive:${at(name)}:localhost/app:1`;
    await exportImage(store, 'app:1', target('ours'));
    await skopeo(root, ['copy', '-q', storeReference(root, 'localhost/app:1'), target('theirs')]);
    expect(readFileSync(at('ours')).equals(readFileSync(at('theirs')))).toBe(true);
  });

  it('to dir has the same blobs, and the true media types', async () => {
    await exportImage(store, 'app:1', `dir:${at('ours')}`);
    await skopeo(root, ['copy', '-q', storeReference(root, 'localhost/app:1'), `dir:${at('theirs')}`]);
    const [ours, theirs] = [filesOf(at('ours')), filesOf(at('theirs'))];
    expect({ ...ours, 'manifest.json': '' }).toEqual({ ...theirs, 'manifest.json': '' });
    const truth = String(theirs['manifest.json']).replaceAll('tar+gzip', 'tar');
    expect(ours['manifest.json']).toBe(truth);
  });

  it('to a layout has the same tars, and is read by all', async () => {
    await exportImage(store, 'app:1', `oci:${at('ours')}`);
    await skopeo(root, ['copy', '-q', storeReference(root, 'localhost/app:1'), `oci:${at('theirs')}:x`]);
    const contents = ['ours', 'theirs'].map((name) =>
      Object.values(filesOf(at(name)))
        .filter((bytes) => bytes.startsWith('\x1f\x8b'))
        .map((bytes) => gunzipSync(Buffer.from(bytes, 'latin1')).toString('latin1'))
        .toSorted(),
    );
    expect(contents[0]).toEqual(contents[1]);
    await umoci(['unpack', '--image', `${at('ours')}:localhost/app:1`, at('bundle')]);
    expect(readFileSync(join(at('bundle'), 'rootfs/etc/b'), 'utf8')).toBe('b'.repeat(300_000));
  });

  it.each(['oci-archive', 'docker-archive'])(
    'to %s is loaded by podman, several images too',
    async (form) => {
      const other = new Layout();
      const single = other.image({ layers: LAYERS.slice(0, 1), config: { author: 'x' } });
      const { id } = await importImage(store, other.entries(single).writeTo(at('other')), {
        ...AMD64,
        names: ['localhost/other:2'],
      });
      const app = await store.images.get('localhost/app:1');
      await exportImages(store, ['app:1', 'other:2'], `${form}:${at('both.tar')}`);
      await using theirs = makeStoreRoot();
      const single0 = `${form}:${at('one.tar')}`;
      await exportImage(store, 'app:1', single0);
      await podman(theirs, ['load', '-q', '-i', at('one.tar')]);
      const listed = await podman(theirs, ['images', '--no-trunc', '--format', '{{.ID}} {{.Names}}']);
      expect(listed.stdout.trim()).toBe(`sha256:${app.id} [localhost/app:1]`);
      for (const [name, wanted] of [
        ['localhost/app:1', app.id],
        ['localhost/other:2', id],
      ]) {
        await skopeo(theirs, [
          'copy',
          '-q',
          `${form}:${at('both.tar')}:${name}`,
          storeReference(theirs, `${name}`),
        ]);
        const found = await podman(theirs, ['images', '--no-trunc', '--format', '{{.ID}}', `${name}`]);
        expect(found.stdout.trim()).toBe(`sha256:${wanted}`);
      }
    },
  );

  it('of kept blobs is the image that was imported', async () => {
    const from = `oci:${at('in')}:localhost/app:1`;
    await importImage(store, from, { ...AMD64, keepBlobs: true });
    await exportImage(store, 'app:1', `oci-archive:${at('out.tar')}`, { preserveDigests: true });
    const raw = (reference: string) => skopeo(root, ['inspect', '--raw', reference]);
    expect((await raw(`oci-archive:${at('out.tar')}`)).stdout).toBe((await raw(from)).stdout);
    const kept = `oci:${join(root.graphRoot, 'sediment/oci')}`;
    expect((await raw(kept)).stdout).toBe((await raw(from)).stdout);
  });
});
