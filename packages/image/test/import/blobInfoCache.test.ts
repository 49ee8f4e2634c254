import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { openBlobInfoCache } from '../../src/blobInfoCache/openBlobInfoCache.ts';
import { importImage } from '../../src/import/importImage.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { layerTar } from '../support/imageParts.ts';
import { Layout } from '../support/layout.ts';
import { RecordingStore } from '../support/recordingStore.ts';
import { scratch, scratchFile } from '../support/scratch.ts';

const LAYERS = [layerTar('etc/a'), layerTar('etc/b')];
const BLOBS = LAYERS.map((layer) => gzipSync(layer));
const AMD64 = { platform: 'linux/amd64' };

function newCache() {
  const path = join(scratch(), 'cache/file');
  return { path, blobInfoCache: openBlobInfoCache({ path }) };
}

function archive(config = {}): string {
  const layout = new Layout();
  layout.entries(layout.image({ layers: LAYERS, blobs: BLOBS, config }));
  return scratchFile(layout.tar());
}

/** What the cache tells of the layers, and of their blobs. */
function known({ blobInfoCache }: ReturnType<typeof newCache>, blobs: readonly Uint8Array[]) {
  return blobs.map((blob) => [
    blobInfoCache.uncompressedDigest(digestOf(blob)),
    blobInfoCache.compressor(digestOf(blob)),
  ]);
}

describe('the blob-info cache of an import', () => {
  it('learns what was unpacked', async () => {
    const cache = newCache();
    await importImage(new RecordingStore(), archive(), { ...AMD64, ...cache });
    expect(known(cache, BLOBS)).toEqual(LAYERS.map((layer) => [digestOf(layer), 'gzip']));
    cache.blobInfoCache.close();
  });

  it('learns from a docker-archive that its layers are plain', async () => {
    const cache = newCache();
    const path = scratchFile(dockerArchive([{ layers: LAYERS }]));
    await importImage(new RecordingStore(), path, { ...AMD64, ...cache });
    expect(known(cache, LAYERS)).toEqual(LAYERS.map((layer) => [digestOf(layer), 'none']));
    cache.blobInfoCache.close();
  });

  it('learns nothing of layers that were there, or could not be unpacked', async () => {
    const cache = newCache();
    const store = new RecordingStore();
    await importImage(store, archive(), AMD64);
    await importImage(store, archive(), { ...AMD64, ...cache });
    expect(existsSync(cache.path)).toBe(false);
    const wrong = { rootfs: { type: 'layers', diff_ids: [digestOf('x'), digestOf('y')] } };
    await expect(
      importImage(new RecordingStore(), archive(wrong), { ...AMD64, ...cache }),
    ).rejects.toMatchObject({ code: 'DIFF_ID_MISMATCH' });
    expect(existsSync(cache.path)).toBe(false);
  });

  it('tells DiffIDs that the config does not', async () => {
    const cache = newCache();
    const path = archive({ rootfs: { type: 'layers', diff_ids: [] } });
    const measured = await importImage(new RecordingStore(), path, AMD64);
    const told = new RecordingStore();
    const swapped = [...LAYERS].reverse();
    for (const [i, blob] of BLOBS.entries()) {
      cache.blobInfoCache.recordPair(digestOf(blob), digestOf(swapped[i] as Buffer));
    }
    // Believed, but not blindly: what is unpacked must be what the cache says.
    await expect(importImage(told, path, { ...AMD64, ...cache })).rejects.toMatchObject({
      code: 'DIFF_ID_MISMATCH',
    });
    for (const [i, blob] of BLOBS.entries()) {
      cache.blobInfoCache.recordPair(digestOf(blob), digestOf(LAYERS[i] as Buffer));
    }
    expect(await importImage(told, path, { ...AMD64, ...cache })).toMatchObject({ layer: measured.layer });
    cache.blobInfoCache.close();
  });
});
