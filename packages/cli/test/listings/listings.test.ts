import type { ContainerInfo, ImageInfo, LayerInfo, Store } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { containerWith, imageWith, layerWith } from '../../../../test/support/storeInfos.ts';
import { containerListing, listContainers } from '../../src/listings/containerListing.ts';
import { imageListing, listImages } from '../../src/listings/imageListing.ts';
import { layerListing, listLayers } from '../../src/listings/layerListing.ts';
import { type Listing, printListing } from '../../src/listings/listing.ts';
import { listMounts, mountsTable } from '../../src/listings/mountListing.ts';
import { recordTerminal } from '../support.ts';

const id = (digit: string) => digit.repeat(64);
const now = Date.parse('2026-11-21T12:00:00Z');
const created = '2026-11-21T11:00:00Z';

function layer(digit: string, rest: Partial<LayerInfo>): LayerInfo {
  return layerWith({ id: id(digit), ...rest });
}

function image(digit: string, rest: Partial<ImageInfo>): ImageInfo {
  return imageWith({ id: id(digit), ...rest });
}

function container(digit: string, rest: Partial<ContainerInfo>): ContainerInfo {
  return containerWith({ id: id(digit), layer: id('0'), ...rest });
}

const store = {
  layers: {
    list: async () => [
      layer('1', { diffSize: 1_000_000 }),
      layer('2', { parent: id('1'), diffSize: 500 }),
      layer('3', { parent: id('1') }),
      layer('4', { parent: id('2') }),
    ],
  },
  images: {
    list: async () => [
      image('a', {
        names: ['localhost/app:1', 'localhost:5000/app@sha256:12'],
        layer: id('2'),
        bigData: [{ name: 'manifest', size: 500 }, { name: 'x' }],
      }),
      image('b', { layer: id('3'), created: '2026-11-21T11:30:00Z' }),
      image('c', { names: ['localhost:5000/empty'], created: '0001-01-01T00:00:00Z' }),
    ],
  },
  containers: {
    list: async () => [
      container('d', { names: ['box'], image: id('a'), layer: id('4') }),
      container('e', { image: id('9'), created: '2026-11-21T11:59:00Z' }),
      container('f', { created: '2026-11-20T11:59:00Z' }),
    ],
  },
  mounts: async () => [
    { layer: id('4'), path: '/graph/merged', count: 2 },
    { layer: id('2'), path: '/graph/other', count: 1 },
  ],
} as unknown as Store;

type Options = Partial<Parameters<typeof printListing>[3]>;

function printed<Row extends { readonly id: string }>(
  rows: readonly Row[],
  listing: Listing<Row>,
  options: Options = {},
) {
  const terminal = recordTerminal(options.trunc === false ? 20 : undefined);
  printListing(terminal, rows, listing, { format: 'table', trunc: true, ...options });
  return terminal.stdout;
}

describe('the listing of images', () => {
  it('has a line for each name, newest image first', async () => {
    expect(printed(await listImages(store), imageListing(now))).toBe(
      [
        'REPOSITORY            TAG        IMAGE ID      CREATED         SIZE',
        '<none>                <none>     bbbbbbbbbbbb  30 minutes ago     -',
        'localhost/app         1          aaaaaaaaaaaa  1 hour ago      1 MB',
        'localhost:5000/app    sha256:12  aaaaaaaaaaaa  1 hour ago      1 MB',
        'localhost:5000/empty  <none>     cccccccccccc  -                0 B',
        '',
      ].join('\n'),
    );
  });

  it('is complete as JSON', async () => {
    const [, first] = JSON.parse(printed(await listImages(store), imageListing(now), { format: 'json' }));
    expect(first).toEqual({
      id: id('a'),
      names: ['localhost/app:1', 'localhost:5000/app@sha256:12'],
      namesHistory: [],
      digest: null,
      digests: [],
      created,
      size: 1_001_000,
      layer: id('2'),
      containers: [id('d')],
      readOnly: false,
      keptBlobs: null,
    });
  });

  it('counts mapped copies of the top layer, and a layer below both once', async () => {
    const mapped = image('a', { layer: id('2'), mappedLayers: [id('5')] });
    const list = async () => [
      layer('1', { diffSize: 1_000_000 }),
      layer('2', { parent: id('1'), diffSize: 500 }),
      layer('5', { parent: id('1'), diffSize: 500 }),
    ];
    const mappedStore = {
      ...store,
      layers: { list },
      images: { list: async () => [mapped] },
    } as unknown as Store;
    expect((await listImages(mappedStore))[0]?.size).toBe(1_001_000);
    const { rows } = await listLayers(mappedStore);
    expect(rows.map(({ images }) => images)).toEqual([[], [id('a')], [id('a')]]);
  });

  it('tells what is kept of an image as it came', async () => {
    const kept = { blobs: 4, bytes: 500, complete: true, allPlatforms: false, pinned: true };
    const rows = await listImages(store, new Map([[id('a'), kept]]));
    expect(rows.map(({ keptBlobs }) => keptBlobs)).toEqual([null, kept, null]);
  });

  it('prints full ids only when it is quiet, each once', async () => {
    const rows = await listImages(store);
    expect(printed(rows, imageListing(now), { quiet: true })).toBe(`${id('b')}\n${id('a')}\n${id('c')}\n`);
  });

  it('is not shortened when that is asked for', async () => {
    const table = printed(await listImages(store), imageListing(now), { trunc: false });
    expect(table).toContain(id('a'));
    expect(table).not.toContain('…');
  });
});

describe('the listing of layers', () => {
  it('says which image or container has a layer on top', async () => {
    const { rows, namesById } = await listLayers(store);
    expect(printed(rows, layerListing(now, namesById)).split('\n').slice(0, 5)).toEqual([
      'LAYER ID      PARENT        CREATED      SIZE  TOP LAYER OF',
      '111111111111  -             1 hour ago   1 MB',
      '222222222222  111111111111  1 hour ago  500 B  localhost/app:1',
      '333333333333  111111111111  1 hour ago      -  bbbbbbbbbbbb',
      '444444444444  222222222222  1 hour ago      -  box',
    ]);
  });

  it('is complete as JSON', async () => {
    const { rows } = await listLayers(store);
    expect(rows[1]).toEqual({
      id: id('2'),
      names: [],
      parent: id('1'),
      created,
      diffID: null,
      diffSize: 500,
      blobDigest: null,
      blobSize: null,
      compression: 'none',
      images: [id('a')],
      containers: [],
      mountPoint: '/graph/other',
      readOnly: false,
    });
  });
});

describe('the listing of containers', () => {
  it('names the image as well as it can', async () => {
    expect(printed(await listContainers(store), containerListing(now))).toBe(
      [
        'CONTAINER ID  NAMES  IMAGE            CREATED       MOUNTED',
        'eeeeeeeeeeee         999999999999     1 minute ago  no',
        'dddddddddddd  box    localhost/app:1  1 hour ago    yes',
        'ffffffffffff         -                1 day ago     no',
        '',
      ].join('\n'),
    );
  });
});

describe('the list of mounts', () => {
  it('has containers and layers', async () => {
    const rows = await listMounts(store);
    expect(rows[0]).toEqual({
      container: id('d'),
      names: ['box'],
      layer: id('4'),
      path: '/graph/merged',
      count: 2,
    });
    expect(mountsTable(rows)).toBe(
      [
        'CONTAINER ID  NAMES    MOUNT POINT',
        'dddddddddddd  box      /graph/merged',
        '222222222222  (layer)  /graph/other',
        '',
      ].join('\n'),
    );
  });
});
