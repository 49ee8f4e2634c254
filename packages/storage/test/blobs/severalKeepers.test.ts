import { spawn } from 'node:child_process';
import { createReadStream, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundledProgram } from '../../../../test/support/bundleProgram.ts';
import { makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { openStore, type Store } from '../../src/index.ts';
import { expectValidLayout } from '../support/checkLayout.ts';
import type { KeptBlobsJob } from '../support/keptBlobsChild.ts';
import { digestsOf, type KeepableImage, keep, keepableImage } from '../support/keptImages.ts';
import { bundleCrashChild } from '../support/killPoints.ts';
import { noStore } from '../support/tempStore.ts';

const MILLISECONDS = Number(process.env.SEDIMENT_HAMMER_MS ?? 4000);

describe.skipIf(noStore)('several programs that keep blobs', () => {
  let root: StoreRoot;
  let child: BundledProgram;
  let images: KeepableImage[];

  beforeAll(async () => {
    root = makeStoreRoot();
    child = await bundleCrashChild('keptBlobsChild');
    images = [
      keepableImage(root.path, 'one', ['shared', 'one']),
      keepableImage(root.path, 'two', ['shared', 'two']),
      keepableImage(root.path, 'three', ['three']),
    ];
  });
  afterAll(() => {
    child.remove();
    root.dispose();
  });

  const open = async (): Promise<Store> => {
    const { graphRoot, runRoot } = root;
    return await openStore({ graphRoot, runRoot, driver: 'overlay', env: { HOME: graphRoot } });
  };

  async function run(job: Omit<KeptBlobsJob, 'graphRoot' | 'runRoot' | 'images'>): Promise<string[]> {
    const { graphRoot, runRoot } = root;
    const { does, ...rest } = job;
    const text = JSON.stringify({ does, graphRoot, runRoot, images, ...rest });
    const running = spawn(process.execPath, [child.path, text], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    running.stdout.on('data', (part) => {
      out += part;
    });
    running.stderr.on('data', (part) => {
      err += part;
    });
    const status = await new Promise((resolve) => running.on('close', resolve));
    expect({ status, err }).toEqual({ status: 0, err: '' });
    return JSON.parse(out);
  }

  it('one of them writes, the others do not read', async () => {
    const bytes = Buffer.alloc(60_000_000, 'sediment');
    const digest = digestOf(bytes);
    const file = join(root.path, digest);
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file);
    const read = await Promise.all([1, 2, 3].map(() => run({ does: 'put', file })));
    // A stream reads its first block before anybody asks for it.
    expect(read.map(([count]) => Number(count) > 1_000_000).sort()).toEqual([false, false, true]);
    await using store = await open();
    expect(await store.blobs.stat(digest)).toMatchObject({ size: bytes.length });
    await store.blobs.put(createReadStream(file), { digest });
    await store.blobs.delete(digest);
  });

  it('nothing is lost, nothing stays, and the layout is always valid', async () => {
    const running = [1, 2, 3].map(() => run({ does: 'hammer', milliseconds: MILLISECONDS }));
    let stop = false;
    const looking = (async () => {
      await using store = await open();
      while (!stop) {
        for (const image of await store.blobs.images()) expect(image.names.length).toBeLessThan(2);
        await store.blobs.list();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const warnings = (await Promise.all(running)).flat();
    stop = true;
    await looking;
    expect(warnings).toEqual([]);
    expectValidLayout(root.graphRoot);
    await using store = await open();
    for (const image of images) await keep(store, image);
    await store.blobs.collect({ graceMs: -1000 });
    expectValidLayout(root.graphRoot);
    const all = [...new Set(images.flatMap(digestsOf))].sort();
    expect((await store.blobs.list()).map(({ digest }) => digest)).toEqual(all);
    for (const { id } of images) {
      expect(await store.blobs.image(id)).toMatchObject({ complete: true });
      await store.images.delete(id);
    }
    expect(await store.blobs.list()).toEqual([]);
    expect(readdirSync(join(root.graphRoot, 'sediment', 'tmp'))).toEqual([]);
    expect(readdirSync(join(root.runRoot, 'sediment', 'blobs'))).toEqual([]);
  });
});
