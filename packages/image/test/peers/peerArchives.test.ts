/**
 * Archives and layouts that other programs write, read by our sources. What must come out is what
 * `skopeo inspect --raw` says of the same file.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf } from '@sediment/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildah,
  peersSkipReason,
  peerTitle,
  podman,
  skopeo,
  storeReference,
  umoci,
} from '../../../../test/support/peers.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { importImage } from '../../src/import/importImage.ts';
import { parsePlatform } from '../../src/platforms/platform.ts';
import type { ImageSource, OpenedImage } from '../../src/sources/imageSource.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { layerTar } from '../support/imageParts.ts';
import { layerBytes, plainBytes } from '../support/layerBytes.ts';
import { Layout, layoutOf, named } from '../support/layout.ts';
import { RecordingStore } from '../support/recordingStore.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b', 'b'.repeat(70_000))];
const AMD64 = parsePlatform('linux/amd64');

let store: StoreRoot;
const at = (name: string) => join(store.path, name);

async function rawOf(reference: string, ...options: string[]): Promise<string> {
  return (await skopeo(store, ['inspect', '--raw', ...options, reference])).stdout;
}

/** Makes sure that layers have the digests and sizes they claim, and that the config's DiffIDs are theirs. */
async function checkLayers(image: OpenedImage): Promise<void> {
  for (const layer of image.layers) {
    const bytes = await layerBytes(layer);
    expect(bytes).toHaveLength(layer.size);
    if (layer.digest !== undefined) expect(digestOf(bytes)).toBe(layer.digest);
    expect(digestOf(await plainBytes(layer))).toBe(layer.diffID);
  }
}

async function expectEqualToSkopeo(source: ImageSource, index: number, reference: string): Promise<void> {
  const image = (await source.images[index]?.open({ platform: AMD64 })) as OpenedImage;
  expect(Buffer.from((await image.manifest()).bytes).toString()).toBe(await rawOf(reference));
  expect(Buffer.from(image.config.bytes).toString()).toBe(await rawOf(reference, '--config'));
  await checkLayers(image);
}

describe.skipIf(peersSkipReason)(peerTitle('archives of other programs'), () => {
  beforeAll(async () => {
    store = makeStoreRoot();
    const base = layoutOf(LAYERS, 'base').writeTo(at('base'));
    await skopeo(store, ['copy', '-q', `oci:${base}:base`, storeReference(store, 'localhost/one:1')]);
    const other = layoutOf([LAYERS[0] as Buffer], 'other').writeTo(at('other'));
    await skopeo(store, ['copy', '-q', `oci:${other}:other`, storeReference(store, 'localhost/two:1')]);
    await podman(store, ['tag', 'localhost/two:1', 'localhost/two:2']);
  });
  afterAll(() => store?.dispose());

  it.each(['oci', 'oci-archive', 'docker-archive'])('skopeo copy to %s', async (transport) => {
    const reference = `${transport}:${at(`skopeo-${transport}`)}:localhost/one:1`;
    await skopeo(store, ['copy', '-q', storeReference(store, 'localhost/one:1'), reference]);
    await using source = await openImageSource(reference);
    expect(source.images.map(({ names }) => names)).toEqual([['localhost/one:1']]);
    await expectEqualToSkopeo(source, 0, reference);
  });

  it('skopeo copy of zstd layers', async () => {
    const reference = `oci:${at('zstd')}:z`;
    const compress = ['--dest-compress-format', 'zstd', '--dest-compress'];
    await skopeo(store, ['copy', '-q', ...compress, storeReference(store, 'localhost/one:1'), reference]);
    await using source = await openImageSource(reference);
    await expectEqualToSkopeo(source, 0, reference);
  });

  it.each(['gzip', 'bzip2', 'xz', 'zstd'])('archives that were compressed with %s', async (program) => {
    for (const transport of ['oci-archive', 'docker-archive']) {
      const plain = at(`plain-${program}-${transport}`);
      const from = storeReference(store, 'localhost/one:1');
      await skopeo(store, ['copy', '-q', from, `${transport}:${plain}:localhost/one:1`]);
      const compressed = `${plain}.compressed`;
      writeFileSync(compressed, execFileSync(program, ['-c', plain], { maxBuffer: 2 ** 24 }));
      await using source = await openImageSource(`${transport}:${compressed}`, { spoolDirectory: store.tmp });
      await expectEqualToSkopeo(source, 0, `${transport}:${plain}:localhost/one:1`);
    }
  });

  it.each(['docker-archive', 'oci-archive', 'oci-dir'])('podman save --format %s', async (format) => {
    const path = at(`podman-${format}`);
    await podman(store, ['save', '-q', '--format', format, '-o', path, 'localhost/one:1']);
    const reference = `${format.replace('oci-dir', 'oci')}:${path}`;
    await using source = await openImageSource(path);
    expect(source.images).toHaveLength(1);
    await expectEqualToSkopeo(source, 0, reference);
  });

  it('podman save of several images', async () => {
    const path = at('podman-multi');
    await podman(store, [
      'save',
      '-q',
      '-m',
      '-o',
      path,
      'localhost/one:1',
      'localhost/two:1',
      'localhost/two:2',
    ]);
    await using source = await openImageSource(path);
    expect(source.images.map(({ names }) => names)).toEqual([
      ['localhost/one:1'],
      ['localhost/two:1', 'localhost/two:2'],
    ]);
    for (const i of [0, 1]) await expectEqualToSkopeo(source, i, `docker-archive:${path}:@${i}`);
  });

  it.each(['oci', 'oci-archive', 'docker-archive'])('buildah push to %s', async (transport) => {
    const reference = `${transport}:${at(`buildah-${transport}`)}:localhost/one:1`;
    await buildah(store, ['push', '-q', 'localhost/one:1', reference]);
    await using source = await openImageSource(reference);
    await expectEqualToSkopeo(source, 0, reference);
  });

  it('umoci', async () => {
    await umoci(['init', '--layout', at('umoci')]);
    await umoci(['new', '--image', `${at('umoci')}:v1`]);
    await umoci(['insert', '--image', `${at('umoci')}:v1`, at('base/index.json'), '/index.json']);
    await umoci(['tag', '--image', `${at('umoci')}:v1`, 'v2']);
    await using source = await openImageSource(`oci:${at('umoci')}`);
    expect(source.images.map(({ names }) => names)).toEqual([['v1', 'v2']]);
    await expectEqualToSkopeo(source, 0, `oci:${at('umoci')}:v1`);
  });
});

describe.skipIf(peersSkipReason)(peerTitle('hand-made archives'), () => {
  beforeAll(() => {
    store = makeStoreRoot();
  });
  afterAll(() => store?.dispose());

  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(at(name), bytes);
    return at(name);
  };

  it.each([0, 1, 2])(
    'with %i layers give the manifest that skopeo makes of a docker-archive',
    async (count) => {
      const path = write(`layers-${count}`, dockerArchive([{ layers: LAYERS.slice(0, count) }]));
      await using source = await openImageSource(path);
      await expectEqualToSkopeo(source, 0, `docker-archive:${path}`);
    },
  );

  it('with compressed layers, too', async () => {
    const blobs = LAYERS.map((layer) => gzipSync(layer));
    const path = write('inner-gzip', dockerArchive([{ layers: LAYERS, blobs }]));
    await using source = await openImageSource(path);
    await expectEqualToSkopeo(source, 0, `docker-archive:${path}`);
  });

  it('of several platforms give the one that skopeo chooses', async () => {
    const layout = new Layout();
    const platforms = [
      'linux/arm/v5',
      'linux/arm/v7',
      'linux/arm64/v8',
      'linux/amd64',
      'linux/arm/v6',
      'linux/s390x',
    ];
    const manifests = platforms.map((text) => {
      const platform = parsePlatform(text);
      return { ...layout.image({ layers: LAYERS, config: { ...platform, note: text } }), platform };
    });
    const path = layout.entries(layout.index(manifests, named('multi'))).writeTo(at('multi'));
    await using source = await openImageSource(path);
    for (const text of [...platforms, 'linux/arm', 'linux/arm64']) {
      const { architecture, variant = '' } = parsePlatform(text);
      const image = (await source.images[0]?.open({ platform: parsePlatform(text) })) as OpenedImage;
      const choice = [
        '--override-os',
        'linux',
        '--override-arch',
        architecture,
        '--override-variant',
        variant,
      ];
      const config = (await skopeo(store, [...choice, 'inspect', '--raw', '--config', `oci:${path}`])).stdout;
      expect(Buffer.from(image.config.bytes).toString()).toBe(config);
      expect(Buffer.from(image.index?.bytes as Uint8Array).toString()).toBe(await rawOf(`oci:${path}`));
    }
  });

  it('are recorded as skopeo records them', async () => {
    const layout = new Layout();
    const platform = AMD64;
    const manifest = layout.image({
      layers: LAYERS,
      config: { created: '2021-03-04T05:06:07.500000000+02:00' },
    });
    const list = layout.index([{ ...manifest, platform }]);
    const references = [
      `oci:${layout.entries(manifest).writeTo(at('single'))}`,
      `oci:${layout.entries(list).writeTo(at('list'))}`,
      `docker-archive:${write('docker', dockerArchive([{ layers: LAYERS }]))}`,
      `docker-archive:${write('none', dockerArchive([{ layers: [] }]))}`,
    ];
    for (const reference of references) {
      await using theirs = makeStoreRoot();
      await skopeo(theirs, ['copy', '-q', reference, storeReference(theirs, 'localhost/x:1')]);
      const [record] = JSON.parse(readFileSync(join(theirs.graphRoot, 'overlay-images/images.json'), 'utf8'));
      const recording = new RecordingStore();
      await importImage(recording, reference, { names: ['x:1'], platform });
      const [request] = recording.requests;
      if (request === undefined) throw new Error('nothing was recorded');
      expect(record).toEqual({
        id: request.id,
        digest: request.digest,
        names: request.names,
        'names-history': request.names,
        ...(request.layer === undefined ? {} : { layer: request.layer }),
        metadata: request.metadata,
        'big-data-names': request.bigData.map(({ name }) => name),
        'big-data-sizes': Object.fromEntries(request.bigData.map(({ name, bytes }) => [name, bytes.length])),
        'big-data-digests': Object.fromEntries(
          request.bigData.map(({ name, bytes }) => [name, digestOf(bytes)]),
        ),
        created: request.created,
      });
    }
  });
});
