import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImageLibrary, imageLibrary } from '../support/images/imageLibrary.ts';
import { blobsOf, layoutDefects } from '../support/images/keptLayout.ts';
import { readImage } from '../support/images/readImage.ts';
import { APP, APP_DOCKER } from '../support/images/savedImages.ts';
import { peersSkipReason, peerTitle, podman, skopeo, storeReference } from '../support/peers.ts';
import { expectFailure } from '../support/refusal.ts';
import { sediment, startSediment } from '../support/sediment.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { type ImagesView, podmanImages, sedimentImages } from '../support/views.ts';

const ALIAS = 'localhost/alias:2';

describe.skipIf(peersSkipReason)(peerTitle('sediment export'), () => {
  let library: ImageLibrary;
  /** Two images as skopeo copied them; one of them has two names. */
  let store: StoreRoot;
  let images: ImagesView;
  const at = (name: string): string => join(store.path, name);
  beforeAll(async () => {
    library = await imageLibrary();
    store = makeStoreRoot();
    for (const name of [APP, APP_DOCKER]) {
      const from = storeReference(library.store, name);
      await skopeo(store, ['copy', '--quiet', from, storeReference(store, name)]);
    }
    await podman(store, ['tag', APP, ALIAS]);
    images = await sedimentImages(store);
  });
  afterAll(() => store?.dispose());

  /** What podman and we find in an archive with several images, in a fresh store each. */
  async function loaded(archive: string): Promise<ImagesView> {
    await using ours = makeStoreRoot();
    await using theirs = makeStoreRoot();
    await Promise.all([
      sediment(ours, ['import', '--all', archive]),
      podman(theirs, ['load', '--quiet', '--input', archive]),
    ]);
    const view = await podmanImages(theirs);
    expect(await sedimentImages(ours)).toEqual(view);
    return view;
  }

  it('puts several images, given by their names, into one docker-archive', async () => {
    await sediment(store, ['export', APP, ALIAS, APP_DOCKER, `docker-archive:${at('several.tar')}`]);
    expect(await loaded(at('several.tar'))).toEqual(images);
  });

  it('puts several images, given by their ids, with all their names into one oci-archive', async () => {
    await sediment(store, ['export', ...images.map(({ id }) => id), `oci-archive:${at('several.oci.tar')}`]);
    for (const name of [APP, ALIAS, APP_DOCKER]) {
      const there = await readImage(store, `oci-archive:${at('several.oci.tar')}:${name}`);
      const here = await readImage(store, storeReference(store, name));
      expect(there).toMatchObject({ config: here.config, diffIDs: here.diffIDs });
    }
    await using again = makeStoreRoot();
    await sediment(again, ['import', '--all', at('several.oci.tar')]);
    expect(await sedimentImages(again)).toEqual(images);
  });

  it('adds images to an OCI layout that others wrote to, and replaces their names', async () => {
    await skopeo(store, ['copy', '--quiet', storeReference(store, APP), `oci:${at('layout')}:${APP_DOCKER}`]);
    await skopeo(store, ['copy', '--quiet', storeReference(store, APP), `oci:${at('layout')}:other`]);
    await sediment(store, ['export', APP_DOCKER, `oci:${at('layout')}`]);
    expect(layoutDefects(at('layout'))).toEqual([]);
    const docker = await readImage(store, storeReference(store, APP_DOCKER));
    expect(await readImage(store, `oci:${at('layout')}:${APP_DOCKER}`)).toMatchObject({
      config: docker.config,
    });
    const other = await readImage(store, `oci:${at('layout')}:other`);
    expect(other.config).toBe((await readImage(store, storeReference(store, APP))).config);
  });

  it('writes the docker-archive that skopeo writes, byte for byte', async () => {
    await sediment(store, [
      'copy',
      `containers-storage:${APP_DOCKER}`,
      `docker-archive:${at('ours.tar')}:${APP_DOCKER}`,
    ]);
    await skopeo(store, [
      'copy',
      '--quiet',
      storeReference(store, APP_DOCKER),
      `docker-archive:${at('theirs.tar')}:${APP_DOCKER}`,
    ]);
    expect(readFileSync(at('ours.tar')).equals(readFileSync(at('theirs.tar')))).toBe(true);
  });

  it.each(['docker-archive', 'oci-archive'])(
    'streams a %s into podman load and sediment import',
    async (form) => {
      const { stdoutBytes } = await sediment(store, ['export', APP, `${form}:/dev/stdout`]);
      await using ours = makeStoreRoot();
      await using theirs = makeStoreRoot();
      await sediment(ours, ['import', '-'], { input: stdoutBytes });
      await podman(theirs, ['load', '--quiet'], { input: stdoutBytes });
      const [image] = images.filter(({ names }) => names.includes(APP));
      expect(await sedimentImages(ours)).toEqual([{ ...image, names: [APP] }]);
      expect(await podmanImages(theirs)).toEqual(await sedimentImages(ours));
    },
  );

  it('finds the form by the destination', async () => {
    mkdirSync(at('directory'));
    await sediment(store, ['export', APP, at('plain.tar')]);
    await sediment(store, ['export', APP, at('directory')]);
    await sediment(store, ['export', APP, `${at('new')}/`]);
    const { stdoutBytes } = await sediment(store, ['export', APP, '-']);
    writeFileSync(at('streamed.tar'), stdoutBytes);
    const { config, diffIDs } = await readImage(store, storeReference(store, APP));
    for (const place of ['oci-archive:plain.tar', 'oci:directory', 'oci:new', 'oci-archive:streamed.tar']) {
      const [form, path = ''] = place.split(':');
      expect(await readImage(store, `${form}:${at(path)}:${APP}`)).toMatchObject({ config, diffIDs });
    }
  });

  it.each([
    ['gzip', ['--compression', 'gzip', '--compression-level', '1']],
    ['zstd', ['--compression', 'zstd', '--compression-level', '19']],
    ['none', ['--compression', 'none']],
  ])('compresses with %s as asked, and says so', async (compression, options) => {
    const to = `oci:${at(`as-${compression}`)}:x`;
    await sediment(store, ['export', ...options, APP, to]);
    const image = await readImage(store, to);
    const suffix = compression === 'none' ? 'tar' : `tar+${compression}`;
    expect(image.compressions).toEqual([compression, compression, compression]);
    expect(image.layers.map(({ mediaType }) => mediaType)).toEqual(
      Array.from({ length: 3 }, () => `application/vnd.oci.image.layer.v1.${suffix}`),
    );
    expect(image.config).toBe((await readImage(store, storeReference(store, APP))).config);
  });

  it('makes an OCI image of a Docker image for layers in zstd, which Docker has no name for', async () => {
    const to = `oci:${at('docker-as-zstd')}:x`;
    await sediment(store, ['export', '--compression', 'zstd', APP_DOCKER, to]);
    const { manifestType, compressions, config } = await readImage(store, to);
    expect({ manifestType, compressions }).toEqual({
      manifestType: 'application/vnd.oci.image.manifest.v1+json',
      compressions: ['zstd', 'zstd', 'zstd'],
    });
    expect(config).toBe((await readImage(store, storeReference(store, APP_DOCKER))).config);
  });

  it.each([
    ['oci', 'application/vnd.oci.image.manifest.v1+json', APP_DOCKER],
    ['v2s2', 'application/vnd.docker.distribution.manifest.v2+json', APP],
  ])('converts to %s as asked, and the id stays', async (format, type, name) => {
    const to = `dir:${at(`to-${format}`)}`;
    await sediment(store, ['export', '--format', format, name, to]);
    const source = await readImage(store, storeReference(store, name));
    const { manifestType, config, diffIDs } = await readImage(store, to);
    expect({ manifestType, config, diffIDs }).toEqual({
      manifestType: type,
      config: source.config,
      diffIDs: source.diffIDs,
    });
  });

  it('does not change a byte where that is asked for', async () => {
    const to = `oci:${at('preserved')}:x`;
    const result = await startSediment(store, ['export', '--preserve-digests', APP, to]);
    const source = await readImage(store, storeReference(store, APP));
    if (result.exitCode === 0) expect((await readImage(store, to)).digest).toBe(source.digest);
    else expectFailure(result, { code: 'DIGESTS_NOT_PRESERVED', says: [] });
  });

  it('tells its progress in lines of JSON, and is quiet otherwise', async () => {
    const quiet = await sediment(store, ['export', APP, at('quiet.tar')]);
    expect(quiet.stderr).toBe('');
    const { stderr } = await sediment(store, ['export', '--progress', 'json', APP, at('told.tar')]);
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(3);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('sediment copy of an index'), () => {
  let library: ImageLibrary;
  let store: StoreRoot;
  const at = (name: string): string => join(store.path, name);
  beforeAll(async () => {
    library = await imageLibrary();
    store = makeStoreRoot();
  });
  afterAll(() => store?.dispose());

  it.each(['oci:oci/index', 'oci-archive:oci-archive/index.tar', 'dir:dir/list'])(
    'with --all copies what skopeo copies of %s',
    async (source) => {
      const [form = '', path = ''] = source.split(':');
      const from = `${form}:${library.at(path)}`;
      const [ours, theirs] = [at(`ours-${form}`), at(`theirs-${form}`)];
      await sediment(store, ['copy', '--all', from, `dir:${ours}`]);
      await skopeo(store, ['copy', '--quiet', '--all', from, `dir:${theirs}`]);
      expect(execFileSync('diff', ['-r', ours, theirs], { encoding: 'utf8' })).toBe('');
    },
  );

  it('with --all puts the whole index into a layout', async () => {
    await sediment(store, ['copy', '--all', `oci:${library.at('oci/index')}`, `oci:${at('whole')}:x`]);
    expect(layoutDefects(at('whole'), 'all')).toEqual([]);
    expect(blobsOf(at('whole'))).toEqual(blobsOf(library.at('oci/index')));
  });

  it('with --platform copies the image of one', async () => {
    const from = `oci:${library.at('oci/index')}`;
    await sediment(store, ['copy', '--platform', 'linux/arm64', from, `oci:${at('arm')}:x`]);
    await skopeo(store, ['--override-arch', 'arm64', 'copy', '--quiet', from, `oci:${at('their-arm')}:x`]);
    expect(await readImage(store, `oci:${at('arm')}:x`)).toEqual(
      await readImage(store, `oci:${at('their-arm')}:x`),
    );
  });

  it('goes into no destination that cannot hold it', async () => {
    for (const to of [`docker-archive:${at('no.tar')}:x:1`, storeReference(store, 'x:1')]) {
      const result = await startSediment(store, ['copy', '--all', `oci:${library.at('oci/index')}`, to]);
      expectFailure(result, {
        code: 'INDEX_UNSUPPORTED',
        says: ['does not support copying multiple images as a group'],
      });
    }
  });
});
