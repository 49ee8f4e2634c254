import { StorageError } from '@sediment/core';
import type { ImageInfo, Store } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { imageWith } from '../../../../test/support/storeInfos.ts';
import { graphDriver } from '../../src/inspect/graphDriver.ts';
import { inspectImage } from '../../src/inspect/inspectImage.ts';

const id = (digit: string) => digit.repeat(64);
const metadata = { UpperDir: '/u', WorkDir: '/w', MergedDir: '/m', LowerDir: '/l' };

function storeWith(
  documents: Record<string, unknown>,
  rest: Partial<Record<keyof Store, unknown>> = {},
): Store {
  return {
    driver: 'overlay',
    layers: { list: async () => [], driverMetadata: async () => metadata },
    mounts: async () => [],
    blobs: { image: async () => undefined },
    images: {
      bigData: async (_: string, key: string) => {
        const value = documents[key];
        if (value === undefined) throw new StorageError('BIG_DATA_UNKNOWN', key);
        return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
      },
    },
    ...rest,
  } as unknown as Store;
}

function imageOf(keys: string[], rest: Partial<ImageInfo> = {}): ImageInfo {
  return imageWith({
    id: id('a'),
    names: ['localhost/z:1', 'localhost/a:1', 'localhost/a:2'],
    bigData: keys.map((name) => ({ name, size: 10 })),
    created: '2024-01-01T00:00:00Z',
    ...rest,
  });
}

describe('graphDriver', () => {
  it('has MergedDir while the layer is mounted only, and sorts as podman', async () => {
    const unmounted = await graphDriver(storeWith({}), id('1'));
    expect(JSON.stringify(unmounted)).toBe(
      '{"Name":"overlay","Data":{"LowerDir":"/l","UpperDir":"/u","WorkDir":"/w"}}',
    );
    const mounts = async () => [{ layer: id('1'), path: '/m', count: 1 }];
    const mounted = await graphDriver(storeWith({}, { mounts }), id('1'));
    expect(Object.keys(mounted.Data ?? {})).toEqual(['LowerDir', 'MergedDir', 'UpperDir', 'WorkDir']);
  });

  it('has no data where the driver has none, or there is no layer', async () => {
    const layers = { driverMetadata: async () => ({}) };
    expect(await graphDriver(storeWith({}, { driver: 'vfs', layers }), id('1'))).toEqual({
      Name: 'vfs',
      Data: null,
    });
    expect(await graphDriver(storeWith({}), undefined)).toEqual({ Name: 'overlay', Data: null });
  });
});

describe('inspectImage', () => {
  const config = {
    architecture: 'arm64',
    variant: 'v8',
    os: 'linux',
    author: 'me',
    comment: 'of Docker',
    config: { Hostname: 'x', User: '', Env: ['A=b'], Labels: { l: '1' }, Volumes: null, Cmd: [] },
    rootfs: { type: 'layers', diff_ids: ['sha256:1'] },
    history: [{ comment: 'first' }, { comment: 'last' }],
  };
  const manifest = { config: { digest: `sha256:${id('c')}` }, annotations: { a: '1' } };

  it('takes the words of podman from manifest and config', async () => {
    const image = imageOf(['manifest', `sha256:${id('c')}`], {
      digests: [`sha256:${id('d')}`] as unknown as ImageInfo['digests'],
    });
    const store = storeWith({ manifest, [`sha256:${id('c')}`]: config });
    expect(await inspectImage(store, image)).toMatchObject({
      Id: id('a'),
      RepoDigests: [`localhost/a@sha256:${id('d')}`, `localhost/z@sha256:${id('d')}`],
      Comment: 'first',
      Config: { Env: ['A=b'], Labels: { l: '1' } },
      Architecture: 'arm64',
      Variant: 'v8',
      RootFS: { Type: 'layers', Layers: ['sha256:1'] },
      Labels: { l: '1' },
      Annotations: { a: '1' },
      ManifestType: 'application/vnd.oci.image.manifest.v1+json',
      Size: 20,
      TopLayer: '',
    });
    const docker = { ...manifest, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' };
    const dockerStore = storeWith({ manifest: docker, [`sha256:${id('c')}`]: config });
    expect(await inspectImage(dockerStore, image)).toMatchObject({
      Comment: 'of Docker',
      ManifestType: docker.mediaType,
    });
  });

  it('tells what is kept of the image as it came', async () => {
    const blob = (digit: string, size: number) => ({ digest: `sha256:${id(digit)}`, size });
    const kept = {
      manifest: blob('1', 10),
      config: blob('2', 20),
      layers: [blob('3', 100), blob('3', 100), blob('4', 200)],
      index: blob('5', 5),
      complete: true,
      allPlatforms: false,
      pinned: false,
    };
    const store = storeWith({}, { blobs: { image: async () => kept } });
    expect((await inspectImage(store, imageOf([]))).KeptBlobs).toEqual({
      blobs: 5,
      bytes: 335,
      complete: true,
      allPlatforms: false,
      pinned: false,
    });
  });

  it('does with an image that has no documents', async () => {
    expect(await inspectImage(storeWith({}), imageOf([]))).toMatchObject({
      Config: {},
      Os: '',
      RootFS: { Type: '', Layers: null },
      History: [],
      KeptBlobs: null,
    });
  });

  it.each<[string, unknown, string]>([
    ['manifest', '{', 'MANIFEST_INVALID'],
    ['manifest', '[]', 'MANIFEST_INVALID'],
    [`sha256:${id('a')}`, 'null', 'IMAGE_CONFIG_INVALID'],
  ])('reports a damaged %s', async (key, content, code) => {
    await expect(inspectImage(storeWith({ [key]: content }), imageOf([key]))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(id('a')),
      hint: expect.any(String),
    });
  });
});
