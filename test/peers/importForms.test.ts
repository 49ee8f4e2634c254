import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareStores } from '../support/compareStores.ts';
import { archiveOf, dockerArchiveFiles, ociLayoutFiles } from '../support/imageArchive.ts';
import { peersSkipReason, peerTitle, podman, skopeo, storeReference, umoci } from '../support/peers.ts';
import { sediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { type StoreSnapshot, snapshotStore } from '../support/storeSnapshot.ts';
import { tinyImage } from '../support/tinyImage.ts';
import { type ImagesView, podmanImages, sedimentImages } from '../support/views.ts';

/** A store of podman's with two images that share their layers, one of them with two names. */
async function makeSource(): Promise<StoreRoot> {
  const source = makeStoreRoot();
  const archive = join(source.path, 'images.tar');
  const changed = { ...tinyImage('localhost/second:1'), config: { Cmd: ['/bin/ls'] } };
  writeFileSync(archive, archiveOf(dockerArchiveFiles([tinyImage('localhost/first:1'), changed])));
  await podman(source, ['load', '--input', archive]);
  await podman(source, ['tag', 'localhost/first:1', 'localhost/alias:latest']);
  return source;
}

interface Outcome {
  images: ImagesView;
  store: StoreSnapshot;
}

/** What podman makes of an archive or layout, and what we make of it, in a fresh store each. */
async function loadWithPodman(path: string): Promise<Outcome> {
  await using store = makeStoreRoot();
  await podman(store, ['load', '--input', path]);
  return { images: await podmanImages(store), store: snapshotStore(store) };
}

async function importWithSediment(path: string, ...options: string[]): Promise<Outcome> {
  await using store = makeStoreRoot();
  await sediment(store, ['import', ...options, path]);
  const images = await sedimentImages(store);
  expect(await podmanImages(store)).toEqual(images);
  return { images, store: snapshotStore(store) };
}

async function copyWithSkopeo(from: string, name: string): Promise<StoreSnapshot> {
  await using store = makeStoreRoot();
  await skopeo(store, ['copy', '--quiet', from, storeReference(store, name)]);
  return snapshotStore(store);
}

function expectEqual(ours: Outcome, theirs: Outcome): void {
  expect(ours.images).toEqual(theirs.images);
  expect(compareStores(ours.store, theirs.store)).toEqual([]);
}

describe.skipIf(peersSkipReason)(
  peerTitle('archives and layouts that peers write, imported without a name'),
  () => {
    let source: StoreRoot;
    const path = (name: string): string => join(source.path, name);
    beforeAll(async () => {
      source = await makeSource();
    });
    afterAll(() => source.dispose());

    it('a docker-archive of podman save', async () => {
      await podman(source, [
        'save',
        '--output',
        path('docker.tar'),
        'localhost/first:1',
        'localhost/alias:latest',
      ]);
      expectEqual(await importWithSediment(path('docker.tar')), await loadWithPodman(path('docker.tar')));
    });

    it('a docker-archive with several images', async () => {
      const images = ['localhost/first:1', 'localhost/alias:latest', 'localhost/second:1'];
      await podman(source, ['save', '--multi-image-archive', '--output', path('multi.tar'), ...images]);
      const theirs = await loadWithPodman(path('multi.tar'));
      expect(theirs.images).toHaveLength(2);
      expectEqual(await importWithSediment(path('multi.tar'), '--all'), theirs);
    });

    it('an oci-archive of podman save', async () => {
      const save = ['save', '--format', 'oci-archive', '--output', path('oci.tar'), 'localhost/first:1'];
      await podman(source, save);
      expectEqual(await importWithSediment(path('oci.tar')), await loadWithPodman(path('oci.tar')));
    });

    it('a compressed docker-archive', async () => {
      await podman(source, [
        'save',
        '--compress',
        '--format',
        'docker-dir',
        '--output',
        path('dir'),
        'localhost/first:1',
      ]);
      await skopeo(source, [
        'copy',
        '--quiet',
        `dir:${path('dir')}`,
        `docker-archive:${path('packed.tar')}:localhost/packed:1`,
      ]);
      expectEqual(await importWithSediment(path('packed.tar')), await loadWithPodman(path('packed.tar')));
    });

    it('an OCI directory of skopeo with zstd layers', async () => {
      const zstd = ['--dest-compress', '--dest-compress-format', 'zstd', '--dest-compress-level', '3'];
      const layout = `oci:${path('zstd')}:localhost/zstd:1`;
      await skopeo(source, ['copy', '--quiet', ...zstd, storeReference(source, 'localhost/first:1'), layout]);
      const ours = await importWithSediment(path('zstd'));
      expect(ours.store.records.layers.map(({ compression }) => compression)).toEqual([4, 4]);
      expect(compareStores(ours.store, await copyWithSkopeo(layout, 'localhost/zstd:1'))).toEqual([]);
    });

    it('an OCI directory of umoci, to which it added layers', async () => {
      const layout = path('umoci');
      await umoci(['init', '--layout', layout]);
      await umoci(['new', '--image', `${layout}:one`]);
      mkdirSync(path('added/sub'), { recursive: true });
      writeFileSync(path('added/sub/file'), 'inserted\n');
      await umoci(['insert', '--image', `${layout}:one`, path('added'), '/added']);
      await umoci(['insert', '--image', `${layout}:one`, '--opaque', path('added/sub'), '/added']);
      const ours = await importWithSediment(layout, '--name', 'localhost/umoci:1');
      const theirs = await copyWithSkopeo(`oci:${layout}:one`, 'localhost/umoci:1');
      expect(theirs.records.layers).toHaveLength(2);
      expect(compareStores(ours.store, theirs)).toEqual([]);
    });

    it('one image of an OCI directory with several, chosen by name', async () => {
      const other = { ...tinyImage('localhost/b:1'), config: { Cmd: ['/bin/ls'] } };
      mkdirSync(path('several/blobs/sha256'), { recursive: true });
      for (const [name, bytes] of ociLayoutFiles([tinyImage('localhost/a:1'), other])) {
        writeFileSync(join(path('several'), name), bytes);
      }
      const layout = `oci:${path('several')}:localhost/b:1`;
      const ours = await importWithSediment(layout);
      expect(compareStores(ours.store, await copyWithSkopeo(layout, 'localhost/b:1'))).toEqual([]);
    });
  },
);
