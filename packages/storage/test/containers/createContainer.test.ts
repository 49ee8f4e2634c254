import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const IMAGE = 'ab'.repeat(32);
const MAPS = {
  uidMap: [{ containerId: 0, hostId: 5000, size: 100 }],
  gidMap: [{ containerId: 0, hostId: 6000, size: 100 }],
};

describe.skipIf(noStore !== undefined)(`making containers (${noStore ?? 'root'})`, () => {
  let roots: TempRoots;
  let store: Store;

  async function openWithImage(driver: 'overlay' | 'vfs'): Promise<void> {
    roots = new TempRoots();
    store = await roots.open({ driver });
    const layers = await store.layers.addChain([
      layerOf(roots.directory, 'base', { 'bin/a': '1' }),
      layerOf(roots.directory, 'top', { b: '2' }),
    ]);
    await store.images.put({ id: IMAGE, layer: layers.at(-1)?.id ?? '', names: ['image'], bigData: [] });
  }
  const records = (path: string) => {
    const text = readFileSync(join(roots.graphRoot, path), 'utf8');
    return text === '' ? [] : JSON.parse(text);
  };
  afterEach(async () => await roots.cleanup());

  describe('on overlay', () => {
    beforeEach(async () => await openWithImage('overlay'));

    it('takes ids, labels, items and flags as given', async () => {
      const [id, layer] = ['c', 'd'].map((digit) => digit.repeat(64)) as [string, string];
      const box = await store.containers.create({
        ...{ id, layer, image: 'image', metadata: 'text', mountOptions: ['nodev'] },
        labels: { mount: 'mount label', process: 'process label' },
        flags: { Mine: 1 },
        bigData: [{ name: 'item', bytes: Buffer.from('bytes') }],
      });
      expect(box).toMatchObject({
        ...{ id, layer, image: IMAGE, volatile: false, bigData: [{ name: 'item', size: 5 }] },
        flags: { Mine: 1, MountLabel: 'mount label', ProcessLabel: 'process label', MountOpts: ['nodev'] },
      });
      expect((await store.layers.get(layer)).mountLabel).toBe('mount label');
      expect(await store.containers.get(layer)).toEqual(box);
      await expect(store.containers.create({ layer })).rejects.toMatchObject({ code: 'DUPLICATE_ID' });
      await expect(store.containers.create({ labels: { mount: '', process: 'x' } })).rejects.toThrow(
        TypeError,
      );
    });

    it('keeps volatile records apart, where a restart may lose them', async () => {
      const box = await store.containers.create({ image: 'image', volatile: true });
      expect(records('overlay-containers/volatile-containers.json')).toMatchObject([
        { id: box.id, flags: { Volatile: true } },
      ]);
      expect(records('overlay-layers/volatile-layers.json')).toMatchObject([{ id: box.layer }]);
      await store.containers.setBigData(box.id, 'x', Buffer.from('1'));
      expect(existsSync(join(roots.graphRoot, 'overlay-containers/containers.json'))).toBe(false);
      await store.containers.delete(box.id);
      expect(records('overlay-containers/volatile-containers.json')).toEqual([]);
    });

    it('leaves nothing of a container that cannot be made', async () => {
      const before = readdirSync(join(roots.graphRoot, 'overlay'));
      const bigData = [
        { name: 'a', bytes: Buffer.from('') },
        { name: '', bytes: Buffer.from('') },
      ];
      await expect(store.containers.create({ image: 'image', bigData })).rejects.toMatchObject({
        code: 'BIG_DATA_NAME_INVALID',
      });
      const overlap = [...MAPS.uidMap, { containerId: 50, hostId: 9000, size: 1 }];
      await expect(store.containers.create({ image: 'image', uidMap: overlap })).rejects.toMatchObject({
        code: 'INVALID_MAPPINGS',
      });
      await expect(store.containers.create({ ...MAPS, hostUidMap: true })).rejects.toMatchObject({
        code: 'ID_MAP_INVALID',
      });
      expect(await store.containers.list()).toEqual([]);
      expect(readdirSync(join(roots.graphRoot, 'overlay'))).toEqual(before);
      expect(readdirSync(join(roots.graphRoot, 'overlay-containers'))).toEqual([
        'containers.json',
        'containers.lock',
      ]);
    });

    it('notes sizes and digests that nobody noted', async () => {
      const { id } = await store.containers.create({ image: 'image' });
      await store.containers.setBigData(id, 'x', Buffer.from('four'));
      const path = join(roots.graphRoot, 'overlay-containers/containers.json');
      const [{ 'big-data-sizes': _, 'big-data-digests': __, ...bare }] = JSON.parse(
        readFileSync(path, 'utf8'),
      );
      writeFileSync(path, JSON.stringify([bare]));
      expect((await store.containers.get(id)).bigData).toEqual([{ name: 'x' }]);
      expect(await store.containers.bigDataSize(id, 'x')).toBe(4);
      expect((await store.containers.get(id)).bigData[0]).toMatchObject({ size: 4 });
      await expect(store.containers.bigDataSize(id, 'y')).rejects.toMatchObject({ code: 'SIZE_UNKNOWN' });
    });
  });

  describe('on vfs', () => {
    beforeEach(async () => await openWithImage('vfs'));

    it('changes owners in a copy of the top layer, once for each mapping', async () => {
      const before = await store.images.size('image');
      const boxes = [
        await store.containers.create({ image: 'image', ...MAPS }),
        await store.containers.create({ image: 'image', ...MAPS }),
      ];
      const { layer, mappedLayers } = await store.images.get('image');
      expect(mappedLayers).toHaveLength(1);
      const [copy] = mappedLayers as [string];
      const top = await store.layers.get(layer as string);
      expect(await store.layers.get(copy)).toMatchObject({
        ...MAPS,
        ...(top.parent === undefined ? {} : { parent: top.parent }),
        ...{ diffID: top.diffID, diffSize: top.diffSize },
      });
      expect(await store.images.size('image')).toBe(before + (top.diffSize ?? 0));
      for (const { id } of boxes) {
        const root = await store.mount(id);
        const { uid, gid } = statSync(join(root, 'bin/a'));
        expect([uid, gid]).toEqual([5000, 6000]);
      }
      expect((await store.images.byTopLayer(copy)).map(({ id }) => id)).toEqual([IMAGE]);
      for (const { id } of boxes) await store.containers.delete(id);
      expect(await store.images.delete('image')).toEqual([copy, top.id, top.parent]);
    });

    it('changes owners in the layer of the container when the image is only read', async () => {
      await store.close();
      const lower = roots;
      roots = new TempRoots();
      store = await roots.open({ driver: 'vfs', driverOptions: [`vfs.imagestore=${lower.graphRoot}`] });
      const box = await store.containers.create({ image: 'image', ...MAPS });
      expect(await store.layers.get(box.layer)).toMatchObject({ ...MAPS, readOnly: false });
      const root = await store.mount(box.id);
      expect(statSync(join(root, 'bin/a')).uid).toBe(5000);
      expect((await store.images.get('image')).mappedLayers).toEqual([]);
      await store.containers.delete(box.id);
      await lower.cleanup();
    });
  });
});
