import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const [ONE, TWO] = ['ab01', 'ab02'].map((digits) => digits.padEnd(64, '0')) as [string, string];

describe.skipIf(noStore !== undefined)(`finding and deleting images (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;
  let store: Store;

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('says that a prefix is ambiguous, and of what', async () => {
    for (const id of [ONE, TWO]) await store.images.put({ id, names: [], bigData: [] });
    await expect(store.images.get('ab0')).rejects.toMatchObject({
      code: 'IMAGE_UNKNOWN',
      message: expect.stringMatching(/"ab0": image not known \(the id is ambiguous: ab01.*, ab02.*\)/),
      hint: 'give more digits of the id',
    });
    expect((await store.images.get('ab01')).id).toBe(ONE);
    const boxes = [
      await store.containers.create({ image: ONE }),
      await store.containers.create({ image: ONE }),
    ];
    await expect(store.containers.get('')).rejects.toMatchObject({
      message: expect.not.stringContaining('amb'),
    });
    expect(boxes).toHaveLength(2);
  });

  it('keeps a mapped copy of the top layer that another layer stands on', async () => {
    const chain = [layerOf(roots.directory, 'base', { a: '1' })];
    const [base] = await store.layers.addChain(chain);
    const [copy, child] = await store.layers.addChain([
      layerOf(roots.directory, 'copy', { a: '2' }),
      layerOf(roots.directory, 'child', { b: '3' }),
    ]);
    await store.images.put({ id: ONE, layer: base?.id ?? '', names: [], bigData: [] });
    const json = join(roots.graphRoot, 'overlay-images/images.json');
    const [record] = JSON.parse(readFileSync(json, 'utf8'));
    writeFileSync(json, JSON.stringify([{ ...record, 'mapped-layers': [copy?.id] }]));
    // The copy's record does not say so, but it may be stacked on the top layer.
    expect(await store.images.delete(ONE)).toEqual([]);
    expect((await store.layers.list()).map(({ id }) => id)).toEqual([base?.id, copy?.id, child?.id]);
  });
});
