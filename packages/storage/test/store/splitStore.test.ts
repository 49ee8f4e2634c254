import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { addImage } from '../support/imageOf.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `a %s store whose images have a place of their own (${noStore ?? 'root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;
    let imageStore: string;
    const records = (root: string, kind: string): Array<{ id: string }> =>
      JSON.parse(readFileSync(join(root, `${driver}-${kind}`, `${kind}.json`), 'utf8'));
    const trees = (root: string) =>
      readdirSync(join(root, driver === 'vfs' ? 'vfs/dir' : 'overlay')).filter((name) => name.length === 64);

    beforeEach(async () => {
      roots = new TempRoots();
      imageStore = join(roots.directory, 'images');
      store = await roots.open({ driver, imageStore });
    });
    afterEach(async () => {
      await roots.cleanup();
    });

    it('keeps images and their layers there, containers and tar-split files in the graph root', async () => {
      const image = await addImage(store, roots.directory, 'app');
      const box = await store.containers.create({ image: image.id, names: ['box'] });
      const chain = (await store.layers.list()).filter(({ id }) => id !== box.layer).map(({ id }) => id);
      expect(records(imageStore, 'layers').map(({ id }) => id)).toEqual(chain);
      expect(records(imageStore, 'images').map(({ id }) => id)).toEqual([image.id]);
      expect(records(roots.graphRoot, 'layers').map(({ id }) => id)).toEqual([box.layer]);
      expect(records(roots.graphRoot, 'containers').map(({ id }) => id)).toEqual([box.id]);
      expect(trees(imageStore).sort()).toEqual(chain.toSorted());
      expect(trees(roots.graphRoot)).toEqual([box.layer]);
      for (const id of chain) {
        const file = `${driver}-layers/${id}.tar-split.gz`;
        expect([roots.graphRoot, imageStore].map((root) => existsSync(join(root, file)))).toEqual([
          true,
          false,
        ]);
      }
      expect(existsSync(join(roots.graphRoot, `${driver}-images/images.json`))).toBe(false);
      const mounted = await store.mount(box.id);
      expect(readFileSync(join(mounted, 'etc/name'), 'utf8')).toBe('app');
      await store.unmount(box.id);

      await store.containers.delete('box');
      await store.images.delete(image.id);
      expect(trees(imageStore)).toEqual([]);
      expect([records(imageStore, 'layers'), records(imageStore, 'images')]).toEqual([[], []]);
      await store.close();
      expect(readdirSync(join(imageStore, driver))).not.toContain('tempdirs');
    });

    it('lists images of the graph root behind its own, and deletes both', async () => {
      await store.close();
      const before = await roots.open({ driver });
      const old = await addImage(before, roots.directory, 'old');
      const both = await addImage(before, roots.directory, 'both');
      await before.close();
      store = await roots.open({ driver, imageStore });
      await store.images.put({ ...both, names: ['localhost/again:1'], bigData: [] });
      expect((await store.images.list()).map(({ id, readOnly }) => [id, readOnly])).toEqual([
        [both.id, false],
        [old.id, false],
        [both.id, false],
      ]);
      expect((await store.images.get('localhost/old:1')).id).toBe(old.id);
      const chain = await store.images.delete(old.id);
      expect(chain).toHaveLength(2);
      await store.images.delete(both.id);
      expect(await store.images.list()).toEqual([]);
      expect(await store.layers.list()).toEqual([]);
      expect(trees(roots.graphRoot)).toEqual([]);
    });

    it('deletes no layer that an image of the graph root stands on', async () => {
      await store.close();
      const before = await roots.open({ driver });
      const old = await addImage(before, roots.directory, 'old');
      await before.close();
      store = await roots.open({ driver, imageStore });
      await expect(store.layers.delete(old.layer as string)).rejects.toMatchObject({
        code: 'LAYER_USED_BY_IMAGE',
        facts: { usedBy: [old.id] },
      });
      expect((await store.check()).images).toEqual([]);
    });

    it('sees in each process what the other wrote to either place', async () => {
      const other = await roots.open({ driver, imageStore });
      const image = await addImage(other, roots.directory, 'app');
      expect((await store.images.get(image.id)).names).toEqual(['localhost/app:1']);
      const plain = await roots.open({ driver, graphRoot: imageStore, runRoot: `${roots.runRoot}2` });
      expect((await plain.images.list()).map(({ id }) => id)).toEqual([image.id]);
      await plain.images.addNames(image.id, ['localhost/app:2']);
      expect((await store.images.get('localhost/app:2')).id).toBe(image.id);
      const box = await store.containers.create({ image: image.id });
      expect((await other.containers.get(box.id)).image).toBe(image.id);
    });

    it('is wiped and cleared of garbage in both places', async () => {
      await addImage(store, roots.directory, 'app');
      await store.wipe();
      expect([trees(imageStore), records(imageStore, 'images'), records(imageStore, 'layers')]).toEqual([
        [],
        [],
        [],
      ]);
      expect(await store.collectGarbage()).toEqual({
        containers: [],
        images: [],
        layers: [],
        blobs: [],
        blobBytes: 0,
      });
      expect(await store.info()).toMatchObject({ imageStore, counts: { layers: 0, images: 0 } });
    });
  },
);

describe.skipIf(noStore !== undefined)('an image store', () => {
  it('is refused when it is the graph root', async () => {
    const roots = new TempRoots();
    await expect(roots.open({ imageStore: roots.graphRoot })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await roots.cleanup();
  });
});
