import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MS_BIND, mount, readMountInfo, umount2 } from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { addImage } from '../support/imageOf.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const ORPHANS = ['ab', 'cd', 'ef'].map((byte) => byte.repeat(32)) as [string, string, string];

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'] as const)(
  `a whole %s store (${noStore ?? 'root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;
    const inGraph = (path: string) => join(roots.graphRoot, path);
    const treePath = (id: string) => inGraph(driver === 'vfs' ? `vfs/dir/${id}` : `overlay/${id}`);

    beforeEach(async () => {
      roots = new TempRoots();
      store = await roots.open({ driver });
    });
    afterEach(async () => {
      await roots.cleanup();
    });

    it('is shut down when nothing is mounted, and tells others', async () => {
      const image = await addImage(store, roots.directory, 'app');
      const box = await store.containers.create({ image: image.id });
      const token = () => readFileSync(inGraph('storage.lock'));
      const before = token();
      await store.mount(box.id);
      await store.mount(box.id);
      await expect(store.shutdown()).rejects.toMatchObject({
        code: 'LAYERS_MOUNTED',
        message: 'a layer is mounted: layer is in use by a container',
        facts: { usedBy: [box.layer] },
      });
      expect(await store.mounts()).toMatchObject([{ layer: box.layer, count: 2 }]);
      expect(token().equals(before)).toBe(true);
      await expect(store.shutdown({ force: true })).rejects.toMatchObject({ code: 'LAYERS_MOUNTED' });
      expect(await store.mounts()).toEqual([]);
      await store.shutdown();
      expect(token().equals(before)).toBe(false);
      expect(roots.mounts()).toEqual([]);
      expect(existsSync(join(await store.mount(box.id), 'etc/top'))).toBe(true);
    });

    it('is wiped, but for its files of records and locks, and what is not its own', async () => {
      const images = [
        await addImage(store, roots.directory, 'one'),
        await addImage(store, roots.directory, 'two'),
      ];
      for (const { id } of images) await store.mount((await store.containers.create({ image: id })).id);
      const theirs = inGraph('libpod');
      mkdirSync(theirs);
      mkdirSync(treePath(ORPHANS[0]), { recursive: true });
      await store.wipe();
      expect(await store.layers.list()).toEqual([]);
      expect(await store.images.list()).toEqual([]);
      expect(await store.containers.list()).toEqual([]);
      expect(roots.mounts()).toEqual([]);
      for (const kind of ['layers', 'images', 'containers']) {
        const directory = inGraph(`${driver}-${kind}`);
        expect(readFileSync(join(directory, `${kind}.json`), 'utf8')).toBe('[]');
        expect(readdirSync(directory).sort()).toEqual([`${kind}.json`, `${kind}.lock`]);
      }
      expect(readdirSync(inGraph(driver === 'vfs' ? 'vfs/dir' : 'overlay/l'))).toEqual([]);
      expect(existsSync(treePath(ORPHANS[0]))).toBe(false);
      expect(existsSync(theirs)).toBe(true);
      await addImage(store, roots.directory, 'three');
    });

    it('loses what no record accounts for, and keeps layers without a use', async () => {
      const image = await addImage(store, roots.directory, 'app');
      const box = await store.containers.create({ image: image.id });
      await store.images.put({ id: 'f'.repeat(64), names: [], bigData: [] });
      const [layer, picture, container] = ORPHANS;
      const litter = [
        treePath(layer),
        inGraph(`${driver}-layers/${layer}`),
        inGraph(`${driver}-images/${picture}`),
        inGraph(`${driver}-containers/${container}`),
      ];
      for (const path of litter) mkdirSync(path, { recursive: true });
      writeFileSync(inGraph(`${driver}-layers/${container}.tar-split.gz`), '');
      const kept = inGraph(`${driver}-containers/not-an-id`);
      mkdirSync(kept);
      expect(await store.collectGarbage()).toEqual({
        containers: [container],
        images: [picture],
        layers: expect.arrayContaining([layer, container]),
        blobs: [],
        blobBytes: 0,
      });
      expect(roots.warnings).toEqual([]);
      expect(litter.filter((path) => existsSync(path))).toEqual([]);
      expect(readdirSync(inGraph(`${driver}-layers`)).sort()).toEqual(
        [
          ...(await store.layers.list()).filter(({ diffID }) => diffID).map(({ id }) => `${id}.tar-split.gz`),
          'layers.json',
          'layers.lock',
        ].sort(),
      );
      expect(existsSync(kept)).toBe(true);
      expect(await store.mount(box.id)).toBeTypeOf('string');
      expect(await store.collectGarbage()).toEqual({
        containers: [],
        images: [],
        layers: [],
        blobs: [],
        blobBytes: 0,
      });
    });

    it('changes the token of a lock file when it has written, and only then', async () => {
      const image = await addImage(store, roots.directory, 'app');
      const box = await store.containers.create({ image: image.id, names: ['box'] });
      const changed = async (operation: () => Promise<unknown>): Promise<string[]> => {
        const before = tokens(roots.directory);
        await operation();
        return Object.entries(tokens(roots.directory))
          .filter(([path, token]) => (before[path] ?? '') !== token)
          .map(([path]) => path.replace(`${driver}-`, ''))
          .sort();
      };
      const reading = async () => {
        await store.layers.list();
        await store.images.get('localhost/app:1');
        await store.images.bigData(image.id, 'manifest');
        await store.containers.get('box');
        await store.mounts();
        await store.info();
        await store.collectGarbage();
        await (await roots.open({ driver })).close();
        await store.images.delete('none').catch(() => undefined);
        await store.images.addNames(image.id, ['localhost/app:1']);
        await store.layers.delete(image.layer ?? '').catch(() => undefined);
      };
      expect(await changed(reading)).toEqual([]);
      const name = () => store.images.addNames(image.id, ['localhost/app:2']);
      expect(await changed(name)).toEqual(['graph/images/images.lock']);
      expect(await changed(() => store.mount(box.id))).toEqual(['run/layers/mountpoints.lock']);
      expect(await changed(() => store.unmount(box.id))).toEqual([
        ...(driver === 'overlay' ? ['graph/storage.lock'] : []),
        'run/layers/mountpoints.lock',
      ]);
      expect(await changed(() => store.containers.delete(box.id))).toEqual([
        'graph/containers/containers.lock',
        'graph/layers/layers.lock',
      ]);
      expect(await changed(() => store.images.delete(image.id))).toEqual([
        'graph/images/images.lock',
        'graph/layers/layers.lock',
      ]);
      expect(await changed(() => store.wipe())).toEqual([]);
      expect(await changed(() => store.shutdown())).toEqual(['graph/storage.lock']);
    });
  },
);

describe.skipIf(noStore !== undefined)(`shutting an overlay store down (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;
  beforeEach(() => {
    roots = new TempRoots();
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('takes away the mount of the home that another program left, but no disk that is mounted there', async () => {
    const store = await roots.open();
    const home = join(roots.graphRoot, 'overlay');
    mount({ source: home, target: home, flags: MS_BIND });
    await store.shutdown();
    expect(roots.mounts()).toEqual([]);
    mount({ source: 'disk', target: home, fstype: 'tmpfs' });
    await store.shutdown();
    expect(readMountInfo().filter(({ mountPoint }) => mountPoint === home)).toMatchObject([
      { source: 'disk' },
    ]);
    umount2(home, 0);
  });
});

/** The content of every lock file that guards records, by its path below `directory`. */
function tokens(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const root of ['graph', 'run']) {
    for (const entry of readdirSync(join(directory, root), { recursive: true, encoding: 'utf8' })) {
      if (!entry.endsWith('.lock') || entry.includes('sediment')) continue;
      found[`${root}/${entry}`] = readFileSync(join(directory, root, entry)).toString('hex');
    }
  }
  return found;
}
