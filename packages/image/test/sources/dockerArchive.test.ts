import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { digestOf } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import type { OpenedImage } from '../../src/sources/imageSource.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { type DockerImageInput, dockerArchive, dockerEntries } from '../support/dockerArchive.ts';
import { configBytes, json, layerTar } from '../support/imageParts.ts';
import { layerBytes } from '../support/layerBytes.ts';
import { scratchFile } from '../support/scratch.ts';
import { tarBytes } from '../support/tarBytes.ts';

async function openOnly(bytes: Uint8Array): Promise<OpenedImage> {
  await using source = await openImageSource(`docker-archive:${scratchFile(bytes)}`);
  const [image] = source.images;
  if (image === undefined || source.images.length > 1) throw new Error('expected one image');
  return await image.open();
}

describe('a docker-archive', () => {
  const layers = [layerTar('a'), layerTar('b', 'b'.repeat(3000))];

  it('gives config and layers as they are', async () => {
    const image = await openOnly(dockerArchive([{ layers, tags: ['localhost/x:1'] }]));
    expect(Buffer.from(image.config.bytes)).toEqual(configBytes(layers));
    expect(image.layers.map(({ diffID }) => diffID)).toEqual(layers.map((layer) => digestOf(layer)));
    for (const [i, layer] of image.layers.entries()) {
      expect(layer).toMatchObject({ addressedByDiffID: true, size: layers[i]?.length });
      expect(layer.digest).toBeUndefined();
      expect(layers[i]?.equals(await layerBytes(layer))).toBe(true);
    }
  });

  it('gets the manifest that containers/image makes, byte for byte', async () => {
    const image = await openOnly(dockerArchive([{ layers }]));
    const [a, b] = layers as [Buffer, Buffer];
    const config = configBytes(layers);
    const type = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
    const text =
      '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",' +
      `"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":${config.length},"digest":"${digestOf(config)}"},` +
      `"layers":[{"mediaType":"${type}","size":${a.length},"digest":"${digestOf(a)}"},` +
      `{"mediaType":"${type}","size":${b.length},"digest":"${digestOf(b)}"}]}`;
    const manifest = await image.manifest();
    expect(Buffer.from(manifest.bytes).toString()).toBe(text);
    expect(manifest.digest).toBe(digestOf(text));
    expect(Buffer.from((await image.manifest([7, undefined])).bytes).toString()).toBe(
      text.replace(`"size":${a.length},"digest":"${digestOf(a)}"`, `"size":7,"digest":"${digestOf(a)}"`),
    );
  });

  it('may have compressed layers: the manifest then still counts plain bytes', async () => {
    const foreign = execFileSync('gzip', ['-c'], { input: layers[1] });
    const input = { layers, blobs: [gzipSync(layers[0] as Buffer), foreign] };
    const plain = await (await openOnly(dockerArchive([{ layers }]))).manifest();
    await using source = await openImageSource(scratchFile(dockerArchive([input])));
    const image = (await source.images[0]?.open()) as OpenedImage;
    expect(image.layers.map(({ size }) => size)).toEqual(input.blobs.map((blob) => blob.length));
    expect(await image.manifest()).toEqual(plain);
    expect(await image.manifest(layers.map((layer) => layer.length))).toEqual(plain);
  });

  it('may hold several images, with several names or none', async () => {
    const inputs: DockerImageInput[] = [
      { layers: [layers[0] as Buffer], tags: ['a:1', 'b:2', 'a:1'] },
      { layers: [layers[1] as Buffer], tags: null },
      { layers: [], tags: [] },
    ];
    await using source = await openImageSource(`docker-archive:${scratchFile(dockerArchive(inputs))}`);
    expect(source.images.map(({ names, positions }) => [positions, names])).toEqual([
      [[0], ['a:1', 'b:2']],
      [[1], []],
      [[2], []],
    ]);
    expect((await source.images[2]?.open())?.layers).toEqual([]);
    expect(await source.images[0]?.platforms()).toEqual([{ os: 'linux', architecture: 'amd64' }]);
  });

  it('may lie about its order and have "./" in front', async () => {
    const entries = dockerEntries([{ layers }]).toReversed();
    expect(
      (await openOnly(tarBytes(entries.map((entry) => ({ ...entry, path: `./${entry.path}` }))))).layers,
    ).toHaveLength(2);
  });

  it('may have links to its layers, as older releases of Docker write them', async () => {
    const [a] = layers as [Buffer];
    const entries = [
      { path: 'x1/layer.tar', data: a },
      { path: 'x2/layer.tar', type: '2', linkpath: '../x1/layer.tar' },
      { path: 'c.json', data: configBytes([a]) },
      { path: 'manifest.json', data: json([{ Config: 'c.json', Layers: ['x2/layer.tar'] }]) },
    ];
    const image = await openOnly(tarBytes(entries));
    expect(image.layers).toMatchObject([{ diffID: digestOf(a), size: a.length }]);
  });

  it('may have a layer twice; its first path is read', async () => {
    const [a] = layers as [Buffer];
    const item = { Layers: ['one.tar', 'missing.tar'] };
    const entries = [{ path: 'one.tar', data: a }, ...dockerEntries([{ layers: [a, a], item }])];
    const image = await openOnly(tarBytes(entries));
    expect(image.layers.map(({ blob }) => blob?.offset)).toEqual([512, 512]);
  });

  it('is read by scanning: the first of two entries counts', async () => {
    const old = dockerEntries([{ layers, tags: ['first:1'] }]);
    const newer = dockerEntries([{ layers, tags: ['second:1'] }]);
    await using source = await openImageSource(`docker-archive:${scratchFile(tarBytes([...old, ...newer]))}`);
    expect(source.images[0]?.names).toEqual(['first:1']);
  });
});
