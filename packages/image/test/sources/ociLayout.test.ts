import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf, type Warning } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { parsePlatform } from '../../src/platforms/platform.ts';
import type { OpenedImage } from '../../src/sources/imageSource.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { configBytes, json, layerTar } from '../support/imageParts.ts';
import { layerBytes } from '../support/layerBytes.ts';
import { DOCKER, Layout, layoutOf, named, OCI } from '../support/layout.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { tarBytes } from '../support/tarBytes.ts';

const FORMS = ['oci', 'oci-archive'] as const;
const AMD64 = { platform: parsePlatform('linux/amd64') };

/** The layout, written as directory or archive; returns the reference. */
function written(layout: Layout, form: (typeof FORMS)[number]): string {
  return `${form}:${form === 'oci' ? layout.writeTo(scratch()) : scratchFile(layout.tar())}`;
}

async function openOnly(reference: string): Promise<OpenedImage> {
  await using source = await openImageSource(reference);
  const [image] = source.images;
  if (image === undefined || source.images.length > 1) throw new Error('expected one image');
  return await image.open(AMD64);
}

describe.each(FORMS)('an OCI layout as %s', (form) => {
  it('gives documents and layers as they are', async () => {
    const layers = [layerTar('a'), layerTar('b')];
    const layout = new Layout();
    const descriptor = layout.image({ layers }, named('app:1'));
    layout.entries(descriptor);
    await using source = await openImageSource(written(layout, form));
    expect(source.transport).toBe(form);
    expect(source.images).toMatchObject([{ names: ['app:1'], positions: [0], digest: descriptor.digest }]);
    const image = (await source.images[0]?.open(AMD64)) as OpenedImage;
    expect(Buffer.from(image.config.bytes)).toEqual(configBytes(layers));
    expect(image.config.digest).toBe(digestOf(configBytes(layers)));
    expect(image.index).toBeUndefined();
    expect(image).toMatchObject({
      platform: { os: 'linux', architecture: 'amd64' },
      created: expect.any(String),
    });
    const manifest = await image.manifest();
    expect(manifest).toMatchObject({ digest: descriptor.digest, mediaType: OCI.manifest });
    expect(digestOf(manifest.bytes)).toBe(descriptor.digest);
    for (const [i, layer] of image.layers.entries()) {
      const bytes = layers[i] as Buffer;
      expect(layer).toMatchObject({ digest: digestOf(bytes), size: bytes.length, diffID: digestOf(bytes) });
      expect(layer.addressedByDiffID).toBe(false);
      expect(bytes.equals(await layerBytes(layer))).toBe(true);
    }
  });

  it('chooses from an index, and keeps the index', async () => {
    const layout = new Layout();
    const layer = layerTar('a');
    const at = (architecture: string) => ({
      ...layout.image({ layers: [layer], config: { architecture } }),
      platform: { os: 'linux', architecture },
    });
    const [arm, amd, attestation] = [at('arm64'), at('amd64'), at('unknown')];
    const index = layout.index([
      arm,
      amd,
      { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
    ]);
    layout.entries(index);
    await using source = await openImageSource(written(layout, form));
    const image = source.images[0];
    const platforms = await image?.platforms();
    expect(platforms).toEqual([parsePlatform('linux/arm64'), parsePlatform('linux/amd64')]);
    for (const [text, descriptor] of [
      ['linux/arm64', arm],
      ['linux/amd64', amd],
    ] as const) {
      const opened = (await image?.open({ platform: parsePlatform(text) })) as OpenedImage;
      expect((await opened.manifest()).digest).toBe(descriptor.digest);
      expect(opened.index).toMatchObject({ digest: index.digest, mediaType: OCI.index });
      expect(digestOf(opened.index?.bytes as Uint8Array)).toBe(index.digest);
    }
    await expect(image?.open({ platform: parsePlatform('linux/s390x') })).rejects.toMatchObject({
      code: 'PLATFORM_NOT_FOUND',
    });
  });

  it('takes Docker manifests and lists', async () => {
    const layout = new Layout();
    const layer = layerTar('a');
    const config = layout.put(DOCKER.config, configBytes([layer]));
    const blob = layout.put(DOCKER.layer, gzipSync(layer));
    const manifest = layout.put(
      DOCKER.manifest,
      json({ schemaVersion: 2, mediaType: DOCKER.manifest, config, layers: [blob] }),
      { platform: { os: 'linux', architecture: 'amd64' } },
    );
    const list = layout.put(
      DOCKER.list,
      json({ schemaVersion: 2, mediaType: DOCKER.list, manifests: [manifest] }),
    );
    for (const entry of [manifest, list]) {
      const image = await openOnly(written(layout.entries(entry), form));
      expect((await image.manifest()).mediaType).toBe(DOCKER.manifest);
      expect(image.layers).toMatchObject([{ digest: blob.digest, diffID: digestOf(layer) }]);
    }
  });

  it('has one image of several names where entries share a digest', async () => {
    const layout = new Layout();
    const a = layout.image({ layers: [layerTar('a')] });
    const b = layout.image({ layers: [layerTar('b')] });
    layout.entries({ ...a, ...named('x:1') }, b, { ...a, ...named('x:2') }, { ...a, ...named('x:1') });
    await using source = await openImageSource(written(layout, form));
    expect(source.images.map(({ positions, names }) => ({ positions, names }))).toEqual([
      { positions: [0, 2, 3], names: ['x:1', 'x:2'] },
      { positions: [1], names: [] },
    ]);
  });

  it('prefers the full name of containerd and Docker to the bare tag', async () => {
    const layout = new Layout();
    const annotations = {
      'io.containerd.image.name': 'docker.io/library/dk:1',
      'org.opencontainers.image.ref.name': '1',
    };
    layout.entries(layout.image({}, { annotations }));
    await using source = await openImageSource(written(layout, form));
    expect(source.images).toMatchObject([{ names: ['docker.io/library/dk:1'], aliases: ['1'] }]);
  });

  it('may have a config without DiffIDs: the layers are measured', async () => {
    const layers = [layerTar('a'), layerTar('b')];
    const layout = new Layout();
    const input = {
      layers,
      blobs: [gzipSync(layers[0] as Buffer), layers[1] as Buffer],
      config: { rootfs: undefined },
    };
    const image = await openOnly(written(layout.entries(layout.image(input)), form));
    expect(image.layers.map(({ diffID }) => diffID)).toEqual(layers.map((layer) => digestOf(layer)));
  });

  it('may have no layers, and null for empty lists', async () => {
    const layout = new Layout();
    const entry = layout.image({ manifest: { layers: null } }, { annotations: null, platform: null });
    const image = await openOnly(written(layout.entries(entry), form));
    expect(image.layers).toEqual([]);
  });

  it('warns of layers of unknown types, and reads them', async () => {
    const layout = new Layout();
    const blob = layout.put('application/x-mine', layerTar('a'));
    layout.entries(layout.image({ layers: [layerTar('a')], manifest: { layers: [blob] } }));
    await using source = await openImageSource(written(layout, form));
    const warnings: Warning[] = [];
    await source.images[0]?.open({ ...AMD64, onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toMatchObject([{ code: 'MEDIA_TYPE_UNKNOWN', object: blob.digest }]);
  });

  it('may have a foreign layer that is there', async () => {
    const layout = new Layout();
    const blob = layout.put(OCI.layer, layerTar('a'), { urls: ['https://example.com/a'] });
    const image = await openOnly(
      written(layout.entries(layout.image({ layers: [layerTar('a')], manifest: { layers: [blob] } })), form),
    );
    expect(image.layers).toHaveLength(1);
  });
});

describe('an OCI layout in a directory', () => {
  it('may have links to its blobs, and to itself', async () => {
    const layout = layoutOf([layerTar('a')]);
    const directory = layout.writeTo(scratch());
    const cache = join(scratch(), 'cache');
    renameSync(join(directory, 'blobs'), cache);
    symlinkSync(cache, join(directory, 'blobs'));
    const link = join(scratch(), 'link');
    symlinkSync(directory, link);
    expect((await openOnly(`oci:${link}`)).layers).toHaveLength(1);
  });

  it('has the name of the directory to fall back on', async () => {
    const directory = join(scratch(), 'my-app');
    mkdirSync(directory);
    layoutOf([layerTar('a')]).writeTo(directory);
    await using source = await openImageSource(`oci:${directory}/`);
    expect(source.fallbackName).toBe('my-app');
  });
});

describe('an oci-archive', () => {
  it.each(['pax', 'gnu'] as const)(
    'may be packed with "./" in front, directories and other files (%s)',
    async (form) => {
      const entries = layoutOf([layerTar('a')]).tarEntries();
      const prefixed = entries.map((entry) => ({ ...entry, path: `./${entry.path}`, form }));
      const bytes = tarBytes([
        { path: './', type: '5' },
        { path: './blobs/', type: '5' },
        ...prefixed,
        { path: 'README' },
      ]);
      expect((await openOnly(`oci-archive:${scratchFile(bytes)}`)).layers).toHaveLength(1);
    },
  );

  it('is what unpacking it would leave: the last of two entries counts', async () => {
    const [old, newer] = [layoutOf([layerTar('old')], 'old'), layoutOf([layerTar('new')], 'new')];
    const path = scratchFile(tarBytes([...old.tarEntries(), ...newer.tarEntries()]));
    await using source = await openImageSource(`oci-archive:${path}`);
    expect(source.images.map(({ names }) => names)).toEqual([['new']]);
  });
});
