import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mount } from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const IMAGE = 'ab'.repeat(32);

describe.skipIf(noStore !== undefined)(`containers (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;
  let store: Store;

  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
    await store.images.put({ id: IMAGE, names: [], bigData: [] });
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('are deleted with the directories of their engine, and what it has mounted there', async () => {
    const box = await store.containers.create({ image: IMAGE, names: ['box'] });
    const directories = [
      join(roots.graphRoot, 'overlay-containers', box.id),
      join(roots.runRoot, 'overlay-containers', box.id),
    ];
    for (const directory of directories) mkdirSync(join(directory, 'userdata/shm'), { recursive: true });
    const shm = join(directories[0] as string, 'userdata/shm');
    mount({ source: 'shm', target: shm, fstype: 'tmpfs' });
    writeFileSync(join(shm, 'file'), '');
    await store.containers.delete('box');
    expect(directories.filter(existsSync)).toEqual([]);
    expect(roots.mounts()).toEqual([]);
    expect(await store.layers.list()).toEqual([]);
  });

  it('can be deleted when their layer is gone', async () => {
    const box = await store.containers.create({ image: IMAGE, names: ['box'] });
    writeFileSync(join(roots.graphRoot, 'overlay-layers/layers.json'), '[]');
    await expect(store.mount('box')).rejects.toMatchObject({ code: 'LAYER_UNKNOWN' });
    await store.containers.delete(box.id);
    expect(await store.containers.list()).toEqual([]);
  });

  it('leave nothing behind when their name is taken', async () => {
    await store.containers.create({ image: IMAGE, names: ['box'] });
    const before = readdirSync(join(roots.graphRoot, 'overlay'));
    await expect(store.containers.create({ image: IMAGE, names: ['box'] })).rejects.toMatchObject({
      code: 'DUPLICATE_NAME',
    });
    expect(readdirSync(join(roots.graphRoot, 'overlay'))).toEqual(before);
  });
});
