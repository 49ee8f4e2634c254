import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMountInfo } from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStore, parseIdMapTriples, type Store } from '../../src/index.ts';
import { layerOf } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const IMAGE = 'ab'.repeat(32);
const MAPS = { uidMap: parseIdMapTriples('0:100000:1000'), gidMap: parseIdMapTriples('0:100000:1000') };

let roots: TempRoots;
let store: Store;

async function addImage(target: Store = store): Promise<string> {
  const layers = await target.layers.addChain([
    layerOf(roots.directory, 'base', { 'etc/a': 'one' }),
    layerOf(roots.directory, 'top', { 'etc/b': 'two' }),
  ]);
  const top = layers.at(-1)?.id as string;
  await target.images.put({ id: IMAGE, layer: top, names: ['localhost/a:1'], bigData: [] });
  return top;
}

function superOptions(path: string): string {
  return readMountInfo().findLast(({ mountPoint }) => mountPoint === path)?.superOptions ?? '';
}

function ownerOf(path: string): string {
  const { uid, gid } = lstatSync(path);
  return `${uid}:${gid}`;
}

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'])(
  `mounts of %s (${noStore ?? 'root'})`,
  (driver) => {
    beforeEach(async () => {
      roots = new TempRoots();
      store = await roots.open({ driver });
    });
    afterEach(async () => {
      vi.unstubAllEnvs();
      await roots.cleanup();
    });

    it('are counted for containers, layers and images', async () => {
      const top = await addImage();
      const box = await store.containers.create({ image: IMAGE, names: ['box'] });
      expect(await store.mounted('box')).toBe(0);
      const root = await store.mount('box');
      expect(await store.mount(box.layer)).toBe(root);
      expect([await store.mounted(box.id), await store.mounted(box.layer)]).toEqual([2, 2]);
      expect(await store.unmount('box')).toBe(true);
      expect(await store.unmount(box.layer.slice(0, 20))).toBe(false);
      expect(await store.mounted('box')).toBe(0);

      const image = await store.mountImage('localhost/a:1');
      expect(await store.mountImage(IMAGE)).toBe(image);
      expect(readdirSync(join(image, 'etc')).sort()).toEqual(['a', 'b']);
      expect(await store.mounted(top)).toBe(2);
      expect(await store.unmountImage(IMAGE, { force: true })).toBe(false);
      await expect(store.unmountImage(IMAGE)).rejects.toMatchObject({ code: 'LAYER_NOT_MOUNTED' });
      expect(roots.mounts()).toEqual([]);
    });

    it('know what they are asked for', async () => {
      await addImage();
      await expect(store.mount('nothing')).rejects.toMatchObject({ code: 'CONTAINER_UNKNOWN' });
      await expect(store.mounted('nothing')).rejects.toMatchObject({ code: 'CONTAINER_UNKNOWN' });
      await expect(store.mount('localhost/a:1')).rejects.toMatchObject({ code: 'CONTAINER_UNKNOWN' });
      await expect(store.mountImage('nothing')).rejects.toMatchObject({ code: 'IMAGE_UNKNOWN' });
      await expect(store.mountImage(IMAGE, { options: ['rw'] })).rejects.toThrow(
        ' "rw" option not supported',
      );
      await store.images.put({ id: 'cd'.repeat(32), names: ['localhost/empty:1'], bigData: [] });
      await expect(store.mountImage('localhost/empty:1')).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    });

    it('are refused for a layer of an additional store, but not for its images', async () => {
      const top = await addImage();
      await store.close();
      const above = new TempRoots();
      try {
        const other = await above.open({
          driver,
          driverOptions: [`${driver}.imagestore=${roots.graphRoot}`],
        });
        await expect(other.mount(top)).rejects.toMatchObject({
          code: 'STORE_READ_ONLY',
          message:
            'mounting read/only store images is not allowed: called a write method on a read-only store',
        });
        const image = await other.mountImage('localhost/a:1');
        expect(readFileSync(join(image, 'etc/b'), 'utf8')).toBe('two');
        expect(await other.mounts()).toEqual([{ layer: top, path: image, count: 1 }]);
        expect(await other.unmountImage('localhost/a:1')).toBe(false);
        const box = await other.containers.create({ image: 'localhost/a:1', ...MAPS });
        expect(ownerOf(join(await other.mount(box.id), 'etc/a'))).toBe('100000:100000');
        expect(await other.unmount(box.id)).toBe(false);
        expect(above.mounts()).toEqual([]);
        expect(roots.mounts()).toEqual([]);
      } finally {
        await above.cleanup();
      }
    });

    it('show an image without maps, also when its top layer has some', async () => {
      vi.stubEnv('_CONTAINERS_OVERLAY_DISABLE_IDMAP', 'yes');
      const layer = await store.layers.create({ ...MAPS, readWrite: false });
      const filled = await store.mount(layer.id);
      mkdirSync(join(filled, 'etc'));
      await store.unmount(layer.id);
      const [content] = [driver === 'vfs' ? filled : join(roots.graphRoot, 'overlay', layer.id, 'diff')];
      const { chownSync } = await import('node:fs');
      chownSync(join(content as string, 'etc'), 100007, 100007);
      await store.images.create({ id: IMAGE, layer: layer.id });
      const root = await store.mountImage(IMAGE);
      expect([ownerOf(root), ownerOf(join(root, 'etc'))]).toEqual(['0:0', '7:7']);
      const { mappedLayers } = await store.images.get(IMAGE);
      expect(mappedLayers).toHaveLength(1);
      expect((await store.layers.get(mappedLayers[0] as string)).uidMap).toEqual([]);
      expect(await store.mountImage(IMAGE)).toBe(root);
      expect(await store.unmountImage(IMAGE)).toBe(true);
      expect(await store.unmountImage(IMAGE)).toBe(false);
      expect((await store.images.get(IMAGE)).mappedLayers).toHaveLength(1);
      expect(roots.mounts()).toEqual([]);
    });

    it('have the ids that were asked for, whether the kernel or a copy gives them', async () => {
      await addImage();
      for (const disabled of ['yes', 'no']) {
        vi.stubEnv('_CONTAINERS_OVERLAY_DISABLE_IDMAP', disabled);
        const box = await store.containers.create({ image: IMAGE, ...MAPS });
        const root = await store.mount(box.id);
        expect([ownerOf(root), ownerOf(join(root, 'etc/a'))]).toEqual(['100000:100000', '100000:100000']);
        expect(await store.unmount(box.id)).toBe(false);
      }
      const { mappedLayers } = await store.images.get(IMAGE);
      expect(mappedLayers).toHaveLength(1);
      await store.images.get(IMAGE);
      for (const { id } of await store.containers.list()) await store.containers.delete(id);
      await store.images.delete(IMAGE);
      expect(await store.layers.list()).toEqual([]);
      expect(roots.mounts()).toEqual([]);
    });

    it('of a container made where mounts could have other ids need that still', async () => {
      await addImage();
      const box = await store.containers.create({ image: IMAGE, ...MAPS });
      vi.stubEnv('_CONTAINERS_OVERLAY_DISABLE_IDMAP', 'yes');
      if (driver === 'vfs') {
        expect(ownerOf(await store.mount(box.id))).toBe('100000:100000');
        return;
      }
      await expect(store.mount(box.id)).rejects.toMatchObject({
        code: 'NOT_SUPPORTED',
        message: `cannot mount layer ${box.layer}: shifting not enabled`,
      });
      expect(roots.mounts()).toEqual([]);
    });
  },
);

describe.skipIf(noStore !== undefined)(`options of mounts (${noStore ?? 'root'})`, () => {
  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await roots.cleanup();
  });

  it('make a volatile container volatile, unless storage.conf forbids it', async () => {
    await addImage();
    await store.containers.create({ image: IMAGE, names: ['box'], volatile: true });
    const root = await store.mount('box');
    expect(superOptions(root)).toMatch(/volatile/);
    await store.unmount('box');
    await store.close();
    const configFile = join(roots.directory, 'storage.conf');
    writeFileSync(configFile, '[storage]\n[storage.options]\ndisable-volatile = true\n');
    store = await roots.open({ configFile });
    expect(superOptions(await store.mount('box'))).not.toMatch(/volatile/);
    await store.unmount('box');
  });

  it('are those of the container, unless others are given', async () => {
    await addImage();
    await store.containers.create({ image: IMAGE, names: ['box'], mountOptions: ['nosuid', 'noatime'] });
    const optionsOf = (path: string) =>
      readMountInfo().findLast(({ mountPoint }) => mountPoint === path)?.options;
    expect(optionsOf(await store.mount('box'))).toBe('rw,nosuid,noatime');
    await store.unmount('box');
    expect(optionsOf(await store.mount('box', { options: ['noexec'] }))).toBe('rw,noexec,relatime');
    await store.unmount('box');
    const root = await store.mount('box', { readOnly: true });
    expect(optionsOf(root)).toBe('ro,nosuid,noatime');
    expect(() => writeFileSync(join(root, 'new'), '')).toThrow(/EROFS/);
    await store.unmount('box');
  });

  it('hold a label, which only hosts with SELinux take', async () => {
    await addImage();
    await store.containers.create({ image: IMAGE, names: ['box'] });
    const label = 'system_u:object_r:container_file_t:s0:c1,c2';
    const mounting = store.mount('box', { label });
    await expect(mounting).rejects.toMatchObject({ code: 'MOUNT_FAILED', facts: { errnoCode: 'EINVAL' } });
    expect(roots.mounts()).toEqual([]);
  });

  it('work for images in a store of their own, and for containers on them', async () => {
    const imageStore = join(roots.directory, 'images');
    await store.close();
    store = await roots.open({ imageStore });
    const top = await addImage();
    expect(statSync(join(imageStore, 'overlay', top, 'diff')).isDirectory()).toBe(true);
    const image = await store.mountImage(IMAGE);
    expect(image).toBe(join(roots.runRoot, 'overlay', top, 'merged'));
    const box = await store.containers.create({ image: IMAGE });
    const root = await store.mount(box.id);
    writeFileSync(join(root, 'etc/a'), 'changed');
    expect(readFileSync(join(image, 'etc/a'), 'utf8')).toBe('one');
    await store.unmount(box.id);
    await store.unmountImage(IMAGE);
    expect(readdirSync(join(roots.runRoot, 'overlay'))).not.toContain(top);
    vi.stubEnv('_CONTAINERS_OVERLAY_DISABLE_IDMAP', 'yes');
    const shifted = await store.containers.create({ image: IMAGE, ...MAPS });
    const [copy = ''] = (await store.images.get(IMAGE)).mappedLayers;
    expect(readdirSync(join(imageStore, 'overlay', copy))).toContain('diff1');
    expect(ownerOf(join(await store.mount(shifted.id), 'etc/a'))).toBe('100000:100000');
    await store.unmount(shifted.id);
    await store.containers.delete(shifted.id);
    await store.containers.delete(box.id);
    await store.images.delete(IMAGE);
    expect(readdirSync(join(imageStore, 'overlay')).filter((name) => /^[0-9a-f]{64}$/.test(name))).toEqual(
      [],
    );
    expect(roots.mounts()).toEqual([]);
  });
});

describe.skipIf(noStore !== undefined)(`ids chosen for containers (${noStore ?? 'root'})`, () => {
  beforeEach(async () => {
    roots = new TempRoots();
    store = await roots.open();
  });
  afterEach(async () => {
    await roots.cleanup();
  });

  it('are refused where nobody has any, or too many are needed', async () => {
    await addImage();
    const configFile = join(roots.directory, 'storage.conf');
    writeFileSync(
      configFile,
      '[storage]\n[storage.options]\nroot-auto-userns-user = "no-such-user"\nauto-userns-max-size = 1000\n',
    );
    await store.close();
    store = await openStore({
      configFile,
      graphRoot: roots.graphRoot,
      runRoot: roots.runRoot,
      driver: 'overlay',
      onWarning: () => undefined,
    });
    try {
      await expect(store.containers.create({ image: IMAGE, autoUserns: {} })).rejects.toMatchObject({
        code: 'USERNS_TOO_LARGE',
        message: expect.stringContaining(
          'the container needs a user namespace with size 1024 that is bigger than the maximum value allowed with userns=auto 1000',
        ),
      });
      await expect(store.containers.create({ image: IMAGE, autoUserns: { size: 5 } })).rejects.toMatchObject({
        code: 'NO_AVAILABLE_IDS',
        message:
          '5 ids are needed and 0 of user "no-such-user" are free: not enough unused IDs in user namespace',
      });
      await expect(store.containers.create({ image: IMAGE, autoUserns: {}, ...MAPS })).rejects.toMatchObject({
        code: 'ID_MAP_INVALID',
      });
    } finally {
      await store.close();
    }
    expect(roots.mounts()).toEqual([]);
  });
});
