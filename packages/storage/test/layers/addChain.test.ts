import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { layerOf, treeHash } from '../support/chains.ts';
import { type HeldLock, holdLock } from '../support/holdLock.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined)(`adding a chain of layers (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;
  let store: Store;

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  const chain = () => [
    layerOf(roots.directory, 'base', { a: '1' }),
    layerOf(roots.directory, 'top', { b: '2' }),
  ];
  const noStaging = () =>
    [join(roots.graphRoot, 'overlay/tempdirs'), join(roots.graphRoot, 'overlay-layers/tmp')].filter(
      existsSync,
    );

  it('can be aborted while another program holds the layers lock for long', async () => {
    const before = treeHash(roots.graphRoot);
    const controller = new AbortController();
    let lock: Promise<HeldLock> | undefined;
    const adding = store.layers.addChain(chain(), {
      signal: controller.signal,
      onProgress: ({ type }) => {
        if (type !== 'layer-start') return;
        lock ??= holdLock(join(roots.graphRoot, 'overlay-layers/layers.lock'), 'layers');
        setTimeout(() => controller.abort(), 500);
      },
    });
    await expect(adding).rejects.toMatchObject({ name: 'StorageError', code: 'ABORTED' });
    const { release, held } = (await lock) as HeldLock;
    release();
    await held;
    await (await roots.open()).close();
    expect(noStaging()).toEqual([]);
    expect(treeHash(roots.graphRoot)).toBe(before);
  });

  it('says ABORTED with the reason of the signal, whenever it fires', async () => {
    const reason = new Error('enough');
    for (const event of ['layer-start', 'layer-progress'] as const) {
      const controller = new AbortController();
      const adding = store.layers.addChain(chain(), {
        signal: controller.signal,
        onProgress: ({ type }) => {
          if (type === event) controller.abort(reason);
        },
      });
      await expect(adding).rejects.toMatchObject({ name: 'StorageError', code: 'ABORTED' });
      expect(noStaging()).toEqual([]);
    }
    expect(await store.layers.list()).toEqual([]);
  });

  it('tells why a commit failed, not what failed afterwards', async () => {
    const layers = chain();
    await expect(
      store.layers.addChain(layers, {
        onProgress: ({ type }) => {
          // short links cannot be made, and then the home's links cannot be listed either
          if (type !== 'layer-start') return;
          rmSync(join(roots.graphRoot, 'overlay/l'), { recursive: true, force: true });
          writeFileSync(join(roots.graphRoot, 'overlay/l'), '');
        },
      }),
    ).rejects.toMatchObject({ code: 'IO', message: expect.stringContaining('making layer') });
    expect(await store.layers.list()).toEqual([]);
    rmSync(join(roots.graphRoot, 'overlay/l'));
    const again = await roots.open();
    expect(await again.layers.addChain(layers)).toHaveLength(2);
    expect(noStaging()).toEqual([]);
  });

  it('of two stores that use the staging at once the last takes it away', async () => {
    const other = await roots.open();
    const more = [layerOf(roots.directory, 'more', { c: 'x'.repeat(5_000_000) })];
    await Promise.all([store.layers.addChain(chain()), other.layers.addChain(more)]);
    expect(noStaging()).toEqual([]);
  });
});
