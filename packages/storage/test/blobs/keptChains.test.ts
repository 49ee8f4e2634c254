import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobRange, ChainLayer, Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { bytesOf, chunks } from '../support/keptImages.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore).each(['overlay', 'vfs'] as const)('chains whose blobs are kept (%s)', (driver) => {
  let roots: TempRoots;
  let store: Store;

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open({ driver });
  });
  afterEach(async () => await roots.cleanup());

  const place = (...parts: string[]) => join(roots.graphRoot, 'sediment', ...parts);
  const blobPath = (digest: Digest) => place('oci', 'blobs', ...digest.split(':'));
  const layer = (name: string, options?: { gzip?: boolean }) =>
    layerOf(roots.directory, name, { 'etc/name': name, [`dir/${name}`]: 'x'.repeat(3_000_000) }, options);
  const fileOf = ({ blob }: ChainLayer) => (blob as BlobRange).path;
  const chain = () => [layer('base', { gzip: true }), layer('middle'), layer('top', { gzip: true })];
  const stagedFiles = () => readdirSync(place('tmp'));

  it('copies the bytes while they are unpacked', async () => {
    const layers = chain();
    const infos = await store.layers.addChain(layers, { keepBlobs: true });
    for (const [i, each] of layers.entries()) {
      const digest = each.digest as Digest;
      expect(readFileSync(blobPath(digest)).equals(readFileSync(fileOf(each)))).toBe(true);
      expect(await store.blobs.stat(digest)).toMatchObject({
        size: each.size,
        diffID: each.diffID,
        diffSize: infos[i]?.diffSize,
        compression: i === 1 ? 'none' : 'gzip',
        images: [],
      });
    }
    expect(stagedFiles()).toEqual([]);
  });

  it('reads a stream once', async () => {
    const layers = chain();
    let opened = 0;
    const streams = layers.map((each): ChainLayer => {
      const open = () => {
        opened++;
        return bytesOf(each.blob);
      };
      return { ...each, blob: open };
    });
    await store.layers.addChain(streams, { keepBlobs: true });
    expect(opened).toBe(3);
    for (const each of layers) {
      expect(readFileSync(blobPath(each.digest as Digest)).equals(readFileSync(fileOf(each)))).toBe(true);
    }
    // All is there: neither layers nor blobs are read again.
    await store.layers.addChain(streams, { keepBlobs: true });
    expect(opened).toBe(3);
  });

  it('finds the digest of bytes that came without one', async () => {
    const { digest, size, ...rest } = layer('plain', { gzip: true });
    const open = () => bytesOf(rest.blob);
    await store.layers.addChain([{ ...rest, blob: open }], { keepBlobs: true });
    expect(await store.blobs.stat(digest as Digest)).toMatchObject({ size, diffID: rest.diffID });
  });

  it('puts the blobs of layers that were there before', async () => {
    const layers = chain();
    await store.layers.addChain(layers);
    expect(await store.blobs.list()).toEqual([]);
    const events: string[] = [];
    await store.layers.addChain(layers, { keepBlobs: true, onProgress: ({ type }) => events.push(type) });
    expect(events).toEqual(['layer-reused', 'layer-reused', 'layer-reused']);
    expect((await store.blobs.list()).map(({ digest }) => digest)).toEqual(
      layers.map(({ digest }) => digest).sort(),
    );
    expect(stagedFiles()).toEqual([]);
  });

  it('keeps plain tars of layers that are addressed by DiffID, however they are packed', async () => {
    const layers = chain().map(({ digest, size, ...rest }) => ({ ...rest, addressedByDiffID: true }));
    await store.layers.addChain(layers.slice(0, 2), { keepBlobs: true });
    await store.layers.addChain(layers);
    await store.layers.addChain(layers, { keepBlobs: true });
    for (const { diffID } of layers) {
      expect(digestOf(readFileSync(blobPath(diffID)))).toBe(diffID);
      expect(await store.blobs.stat(diffID)).toMatchObject({ diffID, compression: 'none' });
    }
    expect(await store.blobs.list()).toHaveLength(3);
  });

  it('keeps nothing of a chain with a damaged layer', async () => {
    const layers = chain();
    const damaged = fileOf(layers[1] as ChainLayer);
    copyFileSync(damaged, `${damaged}.sound`);
    const bytes = readFileSync(damaged);
    writeFileSync(damaged, bytes.fill(1, 600, 700));
    await expect(store.layers.addChain(layers, { keepBlobs: true })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    expect(await store.blobs.list()).toEqual([]);
    expect(await store.layers.list()).toEqual([]);
    expect(stagedFiles()).toEqual([]);
    copyFileSync(`${damaged}.sound`, damaged);
    await store.layers.addChain(layers, { keepBlobs: true });
    expect(await store.blobs.list()).toHaveLength(3);
  });

  it('says which blob of a reused layer is damaged', async () => {
    const layers = chain();
    await store.layers.addChain(layers);
    const wrong = { ...(layers[0] as ChainLayer), blob: () => chunks('x') };
    await expect(store.layers.addChain([wrong], { keepBlobs: true })).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
    });
    expect(await store.layers.list()).toHaveLength(3);
    expect(stagedFiles()).toEqual([]);
  });

  it('stops when it is aborted', async () => {
    const layers = chain();
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    await expect(
      store.layers.addChain(layers, { keepBlobs: true, signal: stop.signal, onProgress }),
    ).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await store.blobs.list()).toEqual([]);
    expect(stagedFiles()).toEqual([]);
  });
});
