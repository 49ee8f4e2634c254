import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compareStores } from '../support/compareStores.ts';
import { type ImageLibrary, imageLibrary } from '../support/images/imageLibrary.ts';
import { readImage } from '../support/images/readImage.ts';
import { type DestinationForm, pathIn, referenceIn } from '../support/images/references.ts';
import { APP, APP_DOCKER } from '../support/images/savedImages.ts';
import {
  buildah,
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
  umoci,
} from '../support/peers.ts';
import { podmanRun } from '../support/podmanRun.ts';
import { sediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { snapshotStore } from '../support/storeSnapshot.ts';
import { podmanImages, sedimentImages } from '../support/views.ts';

const NAME = 'localhost/copied:1';

const SOURCES: Record<string, (library: ImageLibrary) => string> = {
  'a docker-archive': ({ at }) => `docker-archive:${at('docker-archive/podman.tar')}`,
  'zstd:chunked layers': ({ at }) => `oci:${at('oci/chunked')}`,
  'a Docker manifest': ({ at }) => `dir:${at('dir/v2s2')}`,
  'a manifest of schema 1': ({ at }) => `dir:${at('dir/v2s1')}`,
  'an OCI image in a store': ({ store }) => storeReference(store, APP),
  'a Docker image in a store': ({ store }) => storeReference(store, APP_DOCKER),
};
const FILES = ['docker-archive', 'oci-archive', 'oci', 'dir'] as const;

describe.skipIf(peersSkipReason)(peerTitle('a copy of ours'), () => {
  let library: ImageLibrary;
  beforeAll(async () => {
    library = await imageLibrary();
  });

  async function copy(store: StoreRoot, title: string, form: DestinationForm): Promise<string> {
    const to = referenceIn(store, form, { name: NAME });
    await sediment(store, ['copy', SOURCES[title]?.(library) as string, to]);
    return to;
  }

  // podman itself fails to load a dir with schema 1
  const pairs = [
    ...['a docker-archive', 'zstd:chunked layers'].flatMap((title) =>
      FILES.map((form) => [title, form] as const),
    ),
    ['a Docker manifest', 'oci-archive'] as const,
    ['a manifest of schema 1', 'oci'] as const,
    ['an OCI image in a store', 'oci-archive'] as const,
    ['a Docker image in a store', 'oci'] as const,
  ];
  it.concurrent.each(pairs)(
    'of %s to %s is loaded by podman, and by us to the same store',
    async (title, form) => {
      await using ours = makeStoreRoot();
      await using theirs = makeStoreRoot();
      await copy(ours, title, form);
      await podman(theirs, ['load', '--quiet', '--input', 'copy'], { cwd: ours.path });
      await sediment(ours, ['import', pathIn(ours, 'copy')]);
      const [mine] = await sedimentImages(ours);
      const [loaded] = await podmanImages(theirs);
      expect(mine?.id).toBe(loaded?.id);
      if (form.endsWith('archive'))
        expect({ mine: mine?.names, loaded: loaded?.names }).toEqual({ mine: [NAME], loaded: [NAME] });
      const records = snapshotStore(theirs)
        .records.layers.map(({ id }) => id)
        .sort();
      expect(
        snapshotStore(ours)
          .records.layers.map(({ id }) => id)
          .sort(),
      ).toEqual(records);
    },
  );

  it.concurrent.each(['an OCI image in a store', 'a Docker image in a store', 'a docker-archive'])(
    'of %s to an OCI layout is unpacked by umoci',
    async (title) => {
      await using store = makeStoreRoot();
      await copy(store, title, 'oci');
      await umoci(['unpack', '--image', `${pathIn(store, 'copy')}:${NAME}`, pathIn(store, 'bundle')]);
      const name = title.includes('OCI') ? APP : APP_DOCKER;
      expect(readFileSync(pathIn(store, 'bundle/rootfs/opt/own'), 'utf8')).toBe(`of ${name}\n`);
      expect(readFileSync(pathIn(store, 'bundle/rootfs/etc/motd'), 'utf8')).toBe('second\n');
    },
  );

  const toStores = [
    'a docker-archive',
    'zstd:chunked layers',
    'a manifest of schema 1',
    'a Docker image in a store',
  ];
  it.concurrent.each(toStores)('of %s to a store is that of skopeo, and runs', async (title) => {
    await using ours = makeStoreRoot();
    await using theirs = makeStoreRoot();
    await copy(ours, title, 'containers-storage');
    const from = SOURCES[title]?.(library) as string;
    await skopeo(theirs, ['copy', '--quiet', from, storeReference(theirs, NAME)], { umask: 0o022 });
    expect(compareStores(snapshotStore(ours), snapshotStore(theirs))).toEqual([]);
    const { stdout } = await podmanRun(ours, ['--rm', NAME, '/bin/cat', '/opt/own']);
    expect(stdout).toMatch(/^of localhost\/app/);
  });

  it('is the base of an image that buildah makes', async () => {
    await using store = makeStoreRoot();
    await copy(store, 'zstd:chunked layers', 'oci');
    const { stdout } = await buildah(store, ['from', `oci:copy:${NAME}`], { cwd: store.path });
    await buildah(store, ['commit', '--quiet', '--rm', stdout.trim(), 'localhost/built:1']);
    await sediment(store, [
      'export',
      'localhost/built:1',
      referenceIn(store, 'oci-archive', { path: 'built.tar' }),
    ]);
    const { diffIDs } = await readImage(store, `oci-archive:${pathIn(store, 'built.tar')}`);
    expect(diffIDs).toEqual((await readImage(store, storeReference(store, 'localhost/built:1'))).diffIDs);
  });

  it.concurrent.each([
    ['gzip', 'docker-archive'],
    ['bzip2', 'oci-archive'],
    ['xz', 'docker-archive'],
    ['zstd', 'oci-archive'],
  ] as const)('is read from what %s made of a %s', async (program, form) => {
    await using store = makeStoreRoot();
    const plain = library.at(`${form}/podman.tar`);
    writeFileSync(pathIn(store, 'packed'), execFileSync(program, ['-c', plain], { maxBuffer: 2 ** 28 }));
    const to = referenceIn(store, 'dir');
    await sediment(store, ['copy', `${form}:${pathIn(store, 'packed')}`, to]);
    const source = await readImage(store, `${form}:${plain}`);
    const { config, diffIDs } = await readImage(store, to);
    expect({ config, diffIDs }).toEqual({ config: source.config, diffIDs: source.diffIDs });
  });
});
