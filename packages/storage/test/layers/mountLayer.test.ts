import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const IMAGE = 'ab'.repeat(32);

describe.skipIf(noStore !== undefined)(`mounts and their counts (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;
  let store: Store;
  const counts = () => join(roots.runRoot, 'overlay-layers/mountpoints.json');

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
    await store.images.put({ id: IMAGE, names: [], bigData: [] });
    await store.containers.create({ image: IMAGE, names: ['box'] });
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('a mount that a killed program did not count can be taken away', async () => {
    await store.mount('box');
    writeFileSync(counts(), '[]');
    expect(await store.unmount('box')).toBe(false);
    expect(roots.mounts()).toEqual([]);
    await expect(store.unmount('box')).rejects.toMatchObject({ code: 'LAYER_NOT_MOUNTED' });
  });

  it('a mount that was not counted is counted from the next on, and goes with the last', async () => {
    const root = await store.mount('box');
    writeFileSync(counts(), '[]');
    expect(await store.mount('box')).toBe(root);
    expect(await store.unmount('box')).toBe(false);
    expect(roots.mounts()).toEqual([]);
  });

  it('a count from before a restart is not gone by', async () => {
    const root = await store.mount('box');
    await store.unmount('box');
    const [layer] = (await store.containers.list()).map((box) => box.layer);
    writeFileSync(counts(), JSON.stringify([{ id: layer, path: root, count: 3 }]));
    expect(await store.mounts()).toEqual([]);
    await store.mount('box');
    expect(JSON.parse(readFileSync(counts(), 'utf8'))[0].count).toBe(1);
    expect(await store.unmount('box')).toBe(false);
    expect(roots.mounts()).toEqual([]);
  });

  it('a mount that cannot be counted is not left', async () => {
    expect(await store.mounts()).toEqual([]);
    execFileSync('chattr', ['+i', dirname(counts())]);
    try {
      await expect(store.mount('box')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    } finally {
      execFileSync('chattr', ['-i', dirname(counts())]);
    }
    expect(roots.mounts()).toEqual([]);
    expect(roots.warnings).toEqual([]);
  });

  it('closing takes away the private home that is left after a layer was unmounted by others', async () => {
    await store.mount('box');
    execFileSync('umount', [roots.mounts().at(-1) as string]);
    expect(roots.mounts()).toHaveLength(1);
    await store.close();
    expect(roots.mounts()).toEqual([]);
  });
});
