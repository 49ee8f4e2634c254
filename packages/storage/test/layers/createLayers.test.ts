import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Digest } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/index.ts';
import { layerOf, type RangeLayer } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'])(
  `layers of %s, made one by one (${noStore ?? 'as root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;

    beforeEach(async () => {
      blobs.clear();
      roots = new TempRoots();
      store = await roots.open({ driver });
    });
    afterEach(() => roots.cleanup());

    const code = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'done',
        (error: { code?: string }) => error.code ?? String(error),
      );
    const blobs = new Map<string, RangeLayer>();
    const blob = (name = 'blob', gzip = false): RangeLayer => {
      const files = { 'd/file': `content of ${name}`, e: 'e' };
      const made = blobs.get(name) ?? layerOf(roots.directory, name, files, { gzip });
      blobs.set(name, made);
      return made;
    };
    const records = (): unknown[] =>
      JSON.parse(readFileSync(join(roots.graphRoot, `${driver}-layers/layers.json`), 'utf8'));
    /** Everything that a failed operation might have left. */
    const leftovers = (): string[] => {
      const home = join(roots.graphRoot, driver === 'vfs' ? 'vfs/dir' : 'overlay');
      const layers = readdirSync(home).filter((name) => /^[0-9a-f]{64}$/.test(name));
      const staged = [
        join(roots.graphRoot, driver, 'tempdirs'),
        join(roots.graphRoot, `${driver}-layers/tmp`),
      ];
      const splits = readdirSync(join(roots.graphRoot, `${driver}-layers`)).filter((name) =>
        /split/.test(name),
      );
      return [...layers, ...splits, ...staged.filter((path) => existsSync(path))];
    };

    it('keeps all that it is told', async () => {
      const made = await store.layers.create({
        id: 'base',
        names: ['one', 'two', 'one'],
        metadata: 'text',
        flags: { mine: 1 },
        bigData: [
          { name: 'plain', bytes: Buffer.from('p') },
          { name: 'Not-Plain', bytes: Buffer.from('n') },
        ],
      });
      expect(made).toMatchObject({ id: 'base', names: ['one', 'two'], metadata: 'text', flags: { mine: 1 } });
      const child = await store.layers.create({ parent: 'two', readWrite: false });
      expect(child).toMatchObject({ parent: 'base', names: [], readOnly: false, compression: 'none' });
      const listed = await store.layers.listNames();
      expect(listed).toEqual((await store.layers.list()).map(({ id, names }) => ({ id, names })));
      expect(listed).toContainEqual({ id: 'base', names: ['one', 'two'] });
      expect(await store.layers.bigDataNames('one')).toEqual(['plain', 'Not-Plain']);
      expect(String(await store.layers.bigData('base', 'Not-Plain'))).toBe('n');
      expect(existsSync(join(roots.graphRoot, `${driver}-layers/base/=Tm90LVBsYWlu`))).toBe(true);
      expect(await store.layers.driverLayers()).toEqual([child.id, 'base'].sort());
      expect(await store.layers.size('base')).toBeUndefined();
      expect(roots.warnings).toEqual([]);
    });

    it('sets, replaces and refuses items', async () => {
      await store.layers.create({ id: 'a' });
      await store.layers.setBigData('a', 'item', createReadStream(blob().blob.path));
      expect(await store.layers.bigData('a', 'item')).toHaveLength(blob().blob.length);
      await store.layers.setBigData('a', 'item', Buffer.from('new'));
      expect(String(await store.layers.bigData('a', 'item'))).toBe('new');
      expect(await store.layers.bigDataNames('a')).toEqual(['item']);
      expect(await code(store.layers.bigData('a', 'other'))).toBe('BIG_DATA_UNKNOWN');
      expect(await code(store.layers.setBigData('a', '', Buffer.from('')))).toBe('BIG_DATA_NAME_INVALID');
      expect(await code(store.layers.setBigData('b', 'x', Buffer.from('')))).toBe('LAYER_UNKNOWN');
    });

    it('refuses what is in use or unknown, and leaves nothing of it', async () => {
      await store.layers.create({ id: 'base', names: ['name'] });
      const box = await store.containers.create({ names: ['box'] });
      const before = records();
      expect(await code(store.layers.create({ id: 'base' }))).toBe('DUPLICATE_ID');
      expect(await code(store.layers.create({ names: ['new', 'name'] }))).toBe('DUPLICATE_NAME');
      expect(await code(store.layers.create({ parent: 'nobody' }))).toBe('LAYER_UNKNOWN');
      expect(await code(store.layers.create({ template: 'nobody' }))).toBe('LAYER_UNKNOWN');
      expect(await code(store.layers.create({ parent: box.layer }))).toBe('PARENT_IS_CONTAINER');
      expect(await code(store.layers.create({ bigData: [{ name: '', bytes: Buffer.from('x') }] }))).toBe(
        'BIG_DATA_NAME_INVALID',
      );
      const diff = () => Readable.from([readFileSync(blob().blob.path)]);
      expect(await code(store.layers.put({ id: 'base', diff: diff() }))).toBe('DUPLICATE_ID');
      expect(await code(store.layers.put({ names: ['name'], diff: diff() }))).toBe('DUPLICATE_NAME');
      expect(await code(store.layers.put({ parent: box.layer, diff: diff() }))).toBe('PARENT_IS_CONTAINER');
      expect(records()).toEqual(before);
      expect(leftovers()).toEqual([box.layer]);
    });

    it('makes layers that only the driver knows', async () => {
      const id = await store.layers.createInDriver();
      expect(await store.layers.createInDriver({ id: 'given', parent: id })).toBe('given');
      expect(await code(store.layers.createInDriver({ id: 'given' }))).toBe('DUPLICATE_ID');
      expect(await code(store.layers.createInDriver({ parent: 'nobody' }))).toBe('LAYER_UNKNOWN');
      expect(await store.layers.driverLayers()).toEqual([id, 'given'].sort());
      expect(await store.layers.list()).toEqual([]);
    });

    it.each([false, true])('fills layers from streams, found by their digests (gzip: %s)', async (gzip) => {
      const { blob: range, digest, size, diffID } = blob('blob', gzip);
      const expected = { digest: digest as Digest, size: size as number, diffID };
      const { layer, size: written } = await store.layers.put({
        id: 'filled',
        diff: createReadStream(range.path, { highWaterMark: 1000 }),
        expect: expected,
        bigData: [{ name: 'note', bytes: Buffer.from('x') }],
      });
      expect(written).toBe('content of blob'.length + 1);
      const facts = {
        compression: gzip ? 'gzip' : 'none',
        compressedDigest: digest,
        compressedSize: size,
        diffID,
        uidSet: [0],
        gidSet: [0],
        bigDataNames: ['note'],
      };
      expect(layer).toMatchObject(facts);
      await store.layers.create({ id: 'empty', parent: 'filled' });
      expect(await store.layers.applyDiff('empty', createReadStream(range.path))).toBe(written);
      expect(await store.layers.get('empty')).toMatchObject({ ...facts, bigDataNames: [] });
      const ids = async (found: Promise<readonly { id: string }[]>) => (await found).map(({ id }) => id);
      expect(await ids(store.layers.byDiffID(diffID))).toEqual(['filled', 'empty']);
      expect(await ids(store.layers.byCompressedDigest(digest as string))).toEqual(['filled', 'empty']);
      expect(await code(store.layers.byTocDigest(diffID))).toBe('LAYER_UNKNOWN');
      expect(await code(store.layers.byDiffID('sha256:short'))).toBe('DIGEST_INVALID');
      expect(await store.layers.size('filled')).toBe(layer.diffSize);
      const root = await store.mount('empty');
      expect(readFileSync(join(root, 'd/file'), 'utf8')).toBe('content of blob');
      await store.unmount('empty');
      expect(roots.warnings).toEqual([]);
    });

    it('applies an archive over the content of a layer', async () => {
      await store.layers.put({ id: 'a', diff: createReadStream(blob('one').blob.path) });
      await store.layers.applyDiff('a', createReadStream(blob('two').blob.path));
      expect(await store.layers.get('a')).toMatchObject({ diffID: blob('two').diffID });
      const root = await store.mount('a');
      expect(readFileSync(join(root, 'd/file'), 'utf8')).toBe('content of two');
      await store.unmount('a');
    });

    it.each([
      ['no archive', () => [Buffer.from('junk')], 'TAR_TRUNCATED'],
      ['another kind of junk', () => [Buffer.alloc(2048, 'junk')], 'TAR_INVALID'],
      ['a cut archive', () => [readFileSync(blob().blob.path).subarray(0, 1200)], 'TAR_TRUNCATED'],
      [
        'damaged gzip',
        () => [readFileSync(blob('z', true).blob.path).subarray(0, 50)],
        'COMPRESSION_INVALID',
      ],
    ] as const)('refuses %s and leaves nothing', async (_, chunks, expected) => {
      async function* diff() {
        yield* chunks();
      }
      expect(await code(store.layers.put({ diff: diff() }))).toBe(expected);
      expect(leftovers()).toEqual([]);
      await store.layers.create({ id: 'empty' });
      expect(await code(store.layers.applyDiff('empty', diff()))).toBe(expected);
      expect(await store.layers.get('empty')).toMatchObject({ compression: 'none', uidSet: [] });
      expect(leftovers()).toEqual([]);
    });

    it('verifies what is known about a stream', async () => {
      const { blob: range, digest, size = 0 } = blob();
      const diff = () => createReadStream(range.path);
      const other = `sha256:${'0'.repeat(64)}` as Digest;
      expect(await code(store.layers.put({ diff: diff(), expect: { digest: other } }))).toBe(
        'DIGEST_MISMATCH',
      );
      expect(await code(store.layers.put({ diff: diff(), expect: { diffID: other } }))).toBe(
        'DIFF_ID_MISMATCH',
      );
      expect(await code(store.layers.put({ diff: diff(), expect: { digest, size: size + 1 } }))).toBe(
        'SIZE_MISMATCH',
      );
      expect(leftovers()).toEqual([]);
    });

    it('fails with what the source throws, and ends the source when it is aborted', async () => {
      async function* failing() {
        yield readFileSync(blob().blob.path).subarray(0, 600);
        throw new RangeError('mine');
      }
      await expect(store.layers.put({ diff: failing() })).rejects.toThrow(RangeError);
      const stop = new AbortController();
      let ended = false;
      async function* endless() {
        try {
          yield readFileSync(blob().blob.path);
          setTimeout(() => stop.abort(), 50);
          for (;;)
            yield await new Promise<Buffer>((resolve) => setTimeout(() => resolve(Buffer.alloc(10)), 5));
        } finally {
          ended = true;
        }
      }
      expect(await code(store.layers.put({ diff: endless(), signal: stop.signal }))).toBe('ABORTED');
      await expect.poll(() => ended).toBe(true);
      expect(leftovers()).toEqual([]);
    });

    it('gives layers the owners of their maps', async () => {
      const maps = [{ containerId: 0, hostId: 100_000, size: 65_536 }];
      const diff = () => createReadStream(blob().blob.path);
      const { layer } = await store.layers.put({ id: 'mapped', uidMap: maps, gidMap: maps, diff: diff() });
      if (layer.uidMap.length === 0) return; // this driver shifts owners while mounting
      expect(layer).toMatchObject({ uidMap: maps, gidMap: maps, uidSet: [0] });
      const child = await store.layers.create({ id: 'child', parent: 'mapped' });
      expect(child.uidMap).toEqual(maps);
      const copy = await store.layers.create({ template: 'mapped', hostUidMap: true, hostGidMap: true });
      expect(copy).toMatchObject({ uidMap: [], diffID: layer.diffID, diffSize: layer.diffSize });
      const tar = async (id: string): Promise<Buffer> => {
        const chunks: Buffer[] = [];
        for await (const chunk of await store.layers.diff(id)) chunks.push(Buffer.from(chunk));
        return Buffer.concat(chunks);
      };
      expect((await tar('mapped')).equals(readFileSync(blob().blob.path))).toBe(true);
      expect((await tar(copy.id)).equals(readFileSync(blob().blob.path))).toBe(true);
    });
  },
);
