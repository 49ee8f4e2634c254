import { existsSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChainEvent, Store } from '../../src/index.ts';
import { layerOf, treeHash } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

const CONFIG = Buffer.from('{"config":true}');
const MANIFEST = Buffer.from('{"manifest":true}');

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'])(
  `a %s store (${noStore ?? 'root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;

    beforeEach(async () => {
      roots = new TempRoots();
      store = await roots.open({ driver });
    });
    afterEach(async () => {
      await roots.cleanup();
    });

    const chain = () => [
      layerOf(roots.directory, 'base', { 'etc/a': 'one', 'bin/sh': '#!', 'gone/x': 'x' }, { gzip: true }),
      layerOf(roots.directory, 'top', { 'etc/a': 'two', '.wh.gone': '' }),
    ];

    async function addImage(names: string[], chainOfImage = chain()) {
      const layers = await store.layers.addChain(chainOfImage);
      const id = digestOf(CONFIG).slice(7);
      const put = await store.images.put({
        id,
        layer: layers.at(-1)?.id ?? '',
        names,
        digest: digestOf(MANIFEST),
        created: '2020-01-02T03:04:05Z',
        bigData: [
          { name: digestOf(CONFIG), bytes: CONFIG },
          { name: `manifest-${digestOf(MANIFEST)}`, bytes: MANIFEST },
          { name: 'manifest', bytes: MANIFEST },
        ],
      });
      return { layers, id, put };
    }

    it('adds a chain, and reuses it the second time without reading it', async () => {
      const events: ChainEvent[] = [];
      const layers = chain();
      const added = await store.layers.addChain(layers, { onProgress: (event) => events.push(event) });
      expect(added.map(({ diffID }) => diffID)).toEqual(layers.map(({ diffID }) => diffID));
      expect(added[0]).toMatchObject({ compression: 'gzip', compressedDigest: layers[0]?.digest });
      expect(added[1]).toMatchObject({ compression: 'none', parent: added[0]?.id });
      expect(events.filter(({ type }) => type === 'layer-done').map(({ index }) => index)).toEqual([0, 1]);

      const lost = layers.map((layer) => ({ ...layer, blob: { ...layer.blob, path: '/does/not/exist' } }));
      const again: ChainEvent[] = [];
      expect(await store.layers.addChain(lost, { onProgress: (event) => again.push(event) })).toEqual(added);
      expect(again.map(({ type }) => type)).toEqual(['layer-reused', 'layer-reused']);
    });

    it('adds many layers without a word of Node about listeners', async () => {
      const warned: Error[] = [];
      const listen = (warning: Error) => void warned.push(warning);
      process.on('warning', listen);
      try {
        const many = Array.from({ length: 20 }, (_, i) =>
          layerOf(roots.directory, `many${i}`, { [`f${i}`]: '' }),
        );
        expect(await store.layers.addChain(many)).toHaveLength(20);
        await new Promise((resolve) => setImmediate(resolve));
      } finally {
        process.off('warning', listen);
      }
      expect(warned).toEqual([]);
    });

    it('leaves nothing behind but the layers', async () => {
      await store.layers.addChain(chain());
      expect(existsSync(join(roots.graphRoot, driver, 'tempdirs'))).toBe(false);
      expect(existsSync(join(roots.graphRoot, `${driver}-layers`, 'tmp'))).toBe(false);
      const files = readdirSync(join(roots.graphRoot, `${driver}-layers`)).sort();
      expect(files.filter((name) => !name.endsWith('.tar-split.gz'))).toEqual(['layers.json', 'layers.lock']);
      expect(readdirSync(join(roots.runRoot, 'sediment', 'unpack'))).toEqual([]);
      expect(roots.mounts()).toEqual([]);
    });

    it.each([
      ['a wrong digest', { digest: digestOf('other') }, 'DIGEST_MISMATCH'],
      ['a wrong size', { size: 17 }, 'SIZE_MISMATCH'],
      ['a wrong DiffID', { diffID: digestOf('other') }, 'DIFF_ID_MISMATCH'],
      [
        'a blob that is not there',
        { blob: { path: '/nowhere', offset: 0, length: 9 }, size: 9 },
        'BLOB_MISSING',
      ],
    ])('a chain whose top layer has %s changes nothing', async (_what, change, code) => {
      const [base, top] = chain();
      if (base === undefined || top === undefined) throw new Error('two layers');
      await store.images.list();
      const before = treeHash(roots.graphRoot);
      await expect(store.layers.addChain([base, { ...top, ...change }])).rejects.toMatchObject({
        name: 'StorageError',
        code,
        message: expect.stringContaining('layer top'),
        hint: expect.any(String),
      });
      expect(treeHash(roots.graphRoot)).toBe(before);
      expect(await store.layers.list()).toEqual([]);
    });

    it('stops on abort, at once and with nothing left', async () => {
      const before = treeHash(roots.graphRoot);
      await expect(store.layers.addChain(chain(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'ABORTED',
      });
      expect(treeHash(roots.graphRoot)).toBe(before);
    });

    it('runs through the life of an image and a container', async () => {
      const { layers, id } = await addImage(['localhost/a:1', 'localhost/b:1']);
      expect(await store.images.get('localhost/a:1')).toMatchObject({
        id,
        names: ['localhost/a:1', 'localhost/b:1'],
        digests: [digestOf(MANIFEST)],
        created: '2020-01-02T03:04:05Z',
      });
      expect(await store.images.bigData(id.slice(0, 12), 'manifest')).toEqual(MANIFEST);

      const box = await store.containers.create({ image: 'localhost/b:1', names: ['box'] });
      const own = [await store.containers.directory('box'), await store.containers.runDirectory('box')];
      expect(own).toEqual(
        [roots.graphRoot, roots.runRoot].map((root) =>
          join(root, `${driver}-containers`, box.id, 'userdata'),
        ),
      );
      expect(own.map((path) => statSync(path).mode & 0o7777)).toEqual([0o700, 0o700]);
      const root = await store.mount('box');
      expect(readFileSync(join(root, 'etc/a'), 'utf8')).toBe('two');
      expect(existsSync(join(root, 'gone'))).toBe(false);
      writeFileSync(join(root, 'new'), 'new');
      expect(await store.mount(box.id)).toBe(root);
      expect(await store.mounts()).toEqual([{ layer: box.layer, path: root, count: 2 }]);
      expect(await store.unmount('box')).toBe(true);
      expect(await store.unmount('box')).toBe(false);
      await expect(store.unmount('box')).rejects.toMatchObject({ code: 'LAYER_NOT_MOUNTED' });
      expect(roots.mounts()).toEqual([]);

      await expect(store.images.delete(id)).rejects.toMatchObject({
        code: 'IMAGE_USED_BY_CONTAINER',
        facts: { usedBy: [box.id] },
        message: expect.stringContaining(box.id),
      });
      await expect(store.layers.delete(box.layer)).rejects.toMatchObject({ code: 'LAYER_USED_BY_CONTAINER' });
      await expect(store.layers.delete(layers[0]?.id.slice(0, 9) ?? '')).rejects.toMatchObject({
        code: 'LAYER_HAS_CHILDREN',
      });
      await store.containers.delete('box');
      expect(await store.layers.list()).toHaveLength(2);
      expect(await store.images.delete(id)).toEqual(layers.map((layer) => layer.id).toReversed());
      expect(await store.layers.list()).toEqual([]);
      expect(readdirSync(join(roots.graphRoot, `${driver}-images`)).sort()).toEqual([
        'images.json',
        'images.lock',
      ]);
      expect(readdirSync(join(roots.graphRoot, driver === 'vfs' ? 'vfs/dir' : 'overlay/l'))).toEqual([]);
    });

    it('a mounted container can be deleted', async () => {
      const { id } = await addImage(['localhost/a:1']);
      const box = await store.containers.create({ image: id });
      await store.mount(box.id);
      await store.containers.delete(box.id);
      expect(roots.mounts()).toEqual([]);
      expect(await store.mounts()).toEqual([]);
    });

    it('moves names between images and reports it; container names are not moved', async () => {
      const { id, layers } = await addImage(['localhost/a:1']);
      const other = await store.images.put({
        id: digestOf('other').slice(7),
        layer: layers[0]?.id ?? '',
        names: ['localhost/a:1', 'localhost/c:1'],
        bigData: [],
      });
      expect(other.taken).toEqual([{ name: 'localhost/a:1', from: id }]);
      expect((await store.images.get(id)).names).toEqual([]);
      const back = await store.images.addNames(id, ['localhost/c:1']);
      expect(back.taken).toEqual([{ name: 'localhost/c:1', from: other.image.id }]);
      expect(back.image.namesHistory).toEqual(['localhost/c:1', 'localhost/a:1']);

      await store.containers.create({ image: id, names: ['box'] });
      await expect(store.containers.create({ image: id, names: ['box'] })).rejects.toMatchObject({
        code: 'DUPLICATE_NAME',
        message: expect.stringContaining('the container name "box" is already in use by'),
      });
      expect(await store.containers.list()).toHaveLength(1);
      expect(await store.layers.list()).toHaveLength(3);
    });

    it('refuses an image with another top layer under a known id', async () => {
      const { id, layers } = await addImage([]);
      await expect(
        store.images.put({ id, layer: layers[0]?.id ?? '', names: [], bigData: [] }),
      ).rejects.toMatchObject({ code: 'IMAGE_CONFLICT' });
      await expect(
        store.images.put({ id: digestOf('z').slice(7), layer: 'f'.repeat(64), names: [], bigData: [] }),
      ).rejects.toMatchObject({ code: 'LAYER_UNKNOWN' });
    });

    it('several importers of one chain make one set of layers', async () => {
      const second = await roots.open({ driver });
      const layers = chain();
      const results = await Promise.all([store, second, store].map((s) => s.layers.addChain(layers)));
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
      expect(await store.layers.list()).toHaveLength(2);
    });

    it('refuses to work after it was closed', async () => {
      await store.close();
      await expect(store.images.list()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    });

    it('reads a snapshot without locks, and refuses to write it', async () => {
      const { id } = await addImage(['localhost/a:1']);
      const before = treeHash(roots.graphRoot);
      const snapshot = await roots.open({ driver, access: 'snapshot' });
      expect((await snapshot.images.list()).map((image) => image.id)).toEqual([id]);
      expect(await snapshot.images.bigData(id, 'manifest')).toEqual(MANIFEST);
      await expect(snapshot.containers.create({ image: id })).rejects.toMatchObject({
        code: 'STORE_READ_ONLY',
      });
      await expect(snapshot.mount(id)).rejects.toMatchObject({ code: expect.any(String) });
      expect(treeHash(roots.graphRoot)).toBe(before);
    });

    it('makes directories and files with fixed modes whatever the umask', async () => {
      const layers = chain();
      const old = process.umask(0o077);
      try {
        await addImage(['localhost/a:1'], layers);
      } finally {
        process.umask(old);
      }
      const [base] = await store.layers.list();
      const tree =
        driver === 'vfs' ? join('vfs/dir', base?.id ?? '') : join('overlay', base?.id ?? '', 'diff');
      expect((statSync(join(roots.graphRoot, tree, 'etc')).mode & 0o777).toString(8)).toBe('755');
      expect(
        (lstatSync(join(roots.graphRoot, `${driver}-images`, 'images.lock')).mode & 0o777).toString(8),
      ).toBe('644');
      expect(
        (lstatSync(join(roots.graphRoot, `${driver}-images`, 'images.json')).mode & 0o777).toString(8),
      ).toBe('600');
    });
  },
);
