import type { BlobInfo } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { imageWith } from '../../../../test/support/storeInfos.ts';
import { blobsTable, listBlobs } from '../../src/listings/blobListing.ts';

const TIME = '2026-11-21T11:00:00.000Z';
const NOW = Date.parse('2026-11-21T12:00:00Z');
const digest = (digit: string) => `sha256:${digit.repeat(64)}` as BlobInfo['digest'];
const image = 'e'.repeat(64);

function blob(digit: string, size: number, more: Partial<BlobInfo> = {}): BlobInfo {
  const common = { images: [], pinned: false, created: TIME, lastUsed: TIME };
  return { digest: digest(digit), size, ...common, ...more };
}

const BLOBS = [
  blob('1', 500, { mediaType: 'application/vnd.oci.image.config.v1+json', images: [image] }),
  blob('2', 45_000_000, {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    diffID: digest('3'),
    diffSize: 90_000_000,
    compression: 'gzip',
    images: [image, 'f'.repeat(64)],
  }),
  blob('4', 10, { mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json' }),
  blob('5', 9, { mediaType: 'application/vnd.docker.distribution.manifest.v2+json', pinned: true }),
  blob('6', 8, { mediaType: 'application/vnd.docker.image.rootfs.diff.tar' }),
  blob('7', 7, { mediaType: 'application/vnd.docker.container.image.v1+json' }),
  blob('8', 6, { mediaType: 'application/vnd.oci.image.index.v1+json' }),
  blob('9', 5),
];

const store = {
  blobs: { list: async () => BLOBS },
  images: { list: async () => [imageWith({ id: image, names: ['localhost/app:1'] })] },
} as unknown as Parameters<typeof listBlobs>[0];

describe('listBlobs', () => {
  it('has the largest first, and null for what is not known', async () => {
    const { rows } = await listBlobs(store);
    expect(rows.map(({ size }) => size)).toEqual([45_000_000, 500, 10, 9, 8, 7, 6, 5]);
    expect(rows.at(-1)).toEqual({
      digest: digest('9'),
      size: 5,
      mediaType: null,
      diffID: null,
      diffSize: null,
      compression: null,
      images: [],
      pinned: false,
      created: TIME,
      lastUsed: TIME,
    });
  });
});

describe('blobsTable', () => {
  it('says what a blob is and whose', async () => {
    const { rows, namesById } = await listBlobs(store);
    const table = blobsTable(rows, { namesById, now: NOW, fit: { width: undefined } });
    expect(table).toBe(
      [
        'DIGEST                SIZE  KIND          PINNED  LAST USED   IMAGES',
        'sha256:222222222222  45 MB  layer (gzip)  no      1 hour ago  localhost/app:1, ffffffffffff',
        'sha256:111111111111  500 B  config        no      1 hour ago  localhost/app:1',
        'sha256:444444444444   10 B  index         no      1 hour ago  -',
        'sha256:555555555555    9 B  manifest      yes     1 hour ago  -',
        'sha256:666666666666    8 B  layer         no      1 hour ago  -',
        'sha256:777777777777    7 B  config        no      1 hour ago  -',
        'sha256:888888888888    6 B  index         no      1 hour ago  -',
        'sha256:999999999999    5 B  -             no      1 hour ago  -',
        '',
      ].join('\n'),
    );
  });

  it('has everything in full without a terminal', async () => {
    const { rows, namesById } = await listBlobs(store);
    const table = blobsTable(rows, { namesById, now: NOW, fit: undefined });
    expect(table).toContain(`${digest('2')}  `);
    expect(table).toContain(`localhost/app:1, ${'f'.repeat(64)}`);
  });
});
