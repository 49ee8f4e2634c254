import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestHex, digestOf } from '@sediment/core';
import { openStore, type Store } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import type { CopyEvent } from '../../src/copy/copyEvents.ts';
import { copyImage } from '../../src/copy/copyImages.ts';
import type { ImportEvent } from '../../src/import/importEvents.ts';
import { importImage } from '../../src/import/importImage.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { layerTar } from '../support/imageParts.ts';
import { Layout, named, OCI } from '../support/layout.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const isRoot = process.getuid?.() === 0;
const AMD64 = { platform: 'linux/amd64' };
const LAYERS = [layerTar('etc/a'), layerTar('big', randomBytes(300_000).toString('hex'))];
const BLOBS = LAYERS.map((layer) => gzipSync(layer, { level: 1 }));

/** A layout whose second layer lies in the returned file. */
function layoutOf(): { from: string; blob: string } {
  const layout = new Layout();
  const manifest = { layers: BLOBS.map((blob) => layout.put(`${OCI.layer}+gzip`, blob)) };
  layout.entries(layout.image({ layers: LAYERS, blobs: BLOBS, manifest }, named('app:1')));
  const directory = layout.writeTo(join(scratch(), 'in'));
  return {
    from: `oci:${directory}`,
    blob: join(directory, 'blobs/sha256', digestHex(digestOf(BLOBS[1] as Buffer))),
  };
}

function overwrite(path: string, position: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.from([0x5a, 0xa5, 0x5a]), 0, 3, position);
  closeSync(fd);
}

/** What somebody does to the file of a blob, and how that is noticed. */
const CHANGES = {
  'has other bytes': [(path: string) => overwrite(path, 250_000), ['DIGEST_MISMATCH']],
  'became shorter': [
    (path: string) => truncateSync(path, statSync(path).size - 10_000),
    ['ARCHIVE_INVALID', 'TAR_TRUNCATED'],
  ],
} as const;

describe.skipIf(!isRoot).each(['overlay', 'vfs'] as const)(
  'an import of a source that changes meanwhile, into %s (needs root)',
  (driver) => {
    async function withStore(use: (store: Store, root: StoreRoot) => Promise<void>): Promise<void> {
      await using root = makeStoreRoot({ driver });
      const { graphRoot, runRoot, env } = root;
      await using store = await openStore({ graphRoot, runRoot, driver, env, onWarning: () => undefined });
      await use(store, root);
    }

    async function expectNothing(store: Store, { graphRoot }: StoreRoot): Promise<void> {
      expect([await store.layers.list(), await store.images.list()]).toEqual([[], []]);
      for (const place of [
        join(driver, 'tempdirs'),
        `${driver}-layers/tmp`,
        'sediment/tmp',
        'sediment/oci/blobs/sha256',
      ]) {
        const path = join(graphRoot, place);
        expect(existsSync(path) ? readdirSync(path) : []).toEqual([]);
      }
    }

    const at = (type: ImportEvent['type'], change: () => void) => {
      let done = false;
      return (event: ImportEvent) => {
        if (done || event.type !== type) return;
        done = true;
        change();
      };
    };

    it.each(Object.entries(CHANGES))(
      'fails when a blob %s',
      async (_, [change, codes]) =>
        await withStore(async (store, root) => {
          for (const keepBlobs of [false, true]) {
            const { from, blob } = layoutOf();
            const onProgress = at('image-start', () => change(blob));
            const error = await storageErrorOf(() =>
              importImage(store, from, { ...AMD64, keepBlobs, onProgress }),
            );
            expect(codes).toContain(error.code);
            expect(error.hint).toBeTruthy();
            await expectNothing(store, root);
          }
        }),
    );

    it('fails when a layer of a docker-archive has other bytes', async () =>
      await withStore(async (store, root) => {
        const from = scratchFile(dockerArchive([{ layers: LAYERS }]));
        const onProgress = at('image-start', () => overwrite(from, 300_000));
        const error = await storageErrorOf(() => importImage(store, from, { ...AMD64, onProgress }));
        expect(error.code).toBe('DIFF_ID_MISMATCH');
        await expectNothing(store, root);
      }));

    it('does not mind what is added behind', async () =>
      await withStore(async (store) => {
        const { from, blob } = layoutOf();
        const onProgress = at('image-start', () => overwrite(blob, statSync(blob).size));
        await importImage(store, from, { ...AMD64, onProgress });
        expect((await store.check({ quick: true })).layers).toEqual([]);
      }));
  },
);

describe('a copy of a source that changes meanwhile', () => {
  it.each(Object.entries(CHANGES))('fails when a blob %s', async (_, [change, codes]) => {
    for (const transport of ['oci', 'oci-archive', 'dir', 'docker-archive'] as const) {
      const { from, blob } = layoutOf();
      const place = scratch();
      let changed = false;
      const onProgress = (event: CopyEvent) => {
        if (changed || event.type !== 'layer-start' || event.index !== 1) return;
        changed = true;
        change(blob);
      };
      const error = await storageErrorOf(() =>
        copyImage(from, `${transport}:${join(place, 'out')}`, { ...AMD64, onProgress }),
      );
      expect([...codes, 'COMPRESSION_INVALID'], transport).toContain(error.code);
      // Of a layout the blobs may stay, but no image; of all others nothing.
      if (transport === 'oci') expect(existsSync(join(place, 'out/index.json'))).toBe(false);
      else expect(readdirSync(place), transport).toEqual([]);
    }
  });
});
