import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  createReadStream,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DiffOptions, Store } from '../../src/index.ts';
import { layerOf, treeHash } from '../support/chains.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

describe.skipIf(noStore !== undefined).each(['overlay', 'vfs'])(
  `diffs of layers of %s (${noStore ?? 'as root'})`,
  (driver) => {
    let roots: TempRoots;
    let store: Store;

    beforeEach(async () => {
      roots = new TempRoots();
      store = await roots.open({ driver });
    });
    afterEach(() => roots.cleanup());

    const inLayer = async <T>(id: string, fn: (root: string) => T): Promise<T> => {
      const root = await store.mount(id);
      try {
        return fn(root);
      } finally {
        await store.unmount(id);
      }
    };
    const tarOf = async (id: string, options: DiffOptions = {}): Promise<Buffer> => {
      const chunks: Buffer[] = [];
      for await (const chunk of await store.layers.diff(id, options)) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    };
    const names = (tar: Buffer): string[] =>
      execFileSync('tar', ['-tf', '-'], { input: tar, encoding: 'utf8' }).trim().split('\n');
    const changes = async (id: string, from?: string): Promise<string[]> =>
      (await store.layers.changes(id, from)).map(({ path, kind }) => `${kind} ${path}`).sort();
    const twoLayers = async (): Promise<void> => {
      await store.layers.create({ id: 'base', names: ['below'] });
      await inLayer('base', (root) => {
        mkdirSync(join(root, 'kept'));
        mkdirSync(join(root, 'replaced'));
        for (const name of ['kept/changed', 'kept/deleted', 'replaced/old', 'mode']) {
          writeFileSync(join(root, name), name);
        }
      });
      await store.layers.create({ id: 'top', parent: 'base' });
      await inLayer('top', (root) => {
        appendFileSync(join(root, 'kept/changed'), ' now');
        rmSync(join(root, 'kept/deleted'));
        rmSync(join(root, 'replaced'), { recursive: true });
        mkdirSync(join(root, 'replaced'));
        writeFileSync(join(root, 'replaced/new'), 'new');
        chmodSync(join(root, 'mode'), 0o600);
        writeFileSync(join(root, 'one'), '1');
        linkSync(join(root, 'one'), join(root, 'two'));
      });
    };

    it('tells what was changed, and how much that is', async () => {
      await twoLayers();
      const common = ['add /one', 'add /replaced/new', 'add /two', 'delete /kept/deleted', 'modify /kept'];
      const own = driver === 'overlay' ? ['delete /replaced'] : ['modify /replaced', 'delete /replaced/old'];
      const expected = [...common, ...own, 'modify /kept/changed', 'modify /mode'].sort();
      expect(await changes('top')).toEqual(expected);
      expect(await changes('top', 'below')).toEqual(expected);
      expect(await changes('top', 'nobody')).toEqual(expected);
      expect(await changes('top', 'top')).toEqual([]);
      expect(await changes('base')).toContain('add /kept/changed');
      const size = 'kept/changed now'.length + 'new'.length + 'mode'.length + '1'.length;
      expect(await store.layers.diffSize('top')).toBe(size);
      expect(await store.layers.diffSize('base', 'top')).toBe(
        ['kept/changed', 'kept/deleted', 'replaced/old', 'mode'].join('').length,
      );
      await expect(store.layers.changes('nobody')).rejects.toMatchObject({ code: 'LAYER_UNKNOWN' });
      expect(await store.mounts()).toEqual([]);
    });

    it('lets a parent, and nothing else, stand in for an unknown layer to compare with', async () => {
      await twoLayers();
      expect(await changes('top', 'unknown')).toEqual(await changes('top'));
      await expect(store.layers.changes('base', 'unknown')).rejects.toThrow('layer not known');
      await expect(store.layers.diff('base', { from: 'unknown' })).rejects.toThrow('layer not known');
    });

    it('writes an archive that makes the same layer again', async () => {
      await twoLayers();
      const tar = await tarOf('top');
      const opaque = driver === 'overlay' ? ['replaced/.wh..wh..opq'] : ['replaced/.wh.old'];
      expect(names(tar).sort()).toEqual(
        [
          'kept/',
          'kept/.wh.deleted',
          'kept/changed',
          'mode',
          'one',
          'replaced/',
          'replaced/new',
          'two',
          ...opaque,
        ].sort(),
      );
      await store.layers.put({ id: 'copy-base', diff: Readable.from([await tarOf('base')]) });
      await store.layers.put({ id: 'copy', parent: 'copy-base', diff: Readable.from([tar]) });
      const whole = (root: string): string => {
        execFileSync('find', [root, '-exec', 'touch', '-h', '-d', '@1', '{}', '+']);
        return treeHash(root);
      };
      expect(await inLayer('copy', whole)).toBe(await inLayer('top', whole));
    });

    it('gives back what filled a layer, and only that', async () => {
      const { blob } = layerOf(roots.directory, 'one', { 'd/file': 'x'.repeat(100_000) }, { gzip: true });
      await store.layers.put({ id: 'filled', diff: createReadStream(blob.path) });
      const plain = gunzipSync(readFileSync(blob.path));
      expect((await tarOf('filled', { compression: 'none' })).equals(plain)).toBe(true);
      const diff = await store.layers.diff('filled');
      expect(diff.compression).toBe('gzip');
      await diff[Symbol.asyncDispose]();
      expect(gunzipSync(await tarOf('filled')).equals(plain)).toBe(true);
      const zstd = await tarOf('filled', { compression: 'zstd' });
      expect(execFileSync('zstd', ['-qd'], { input: zstd, maxBuffer: 1 << 28 }).equals(plain)).toBe(true);
      for (const compression of ['xz', 'bzip2'] as const) {
        await expect(store.layers.diff('filled', { compression })).rejects.toMatchObject({
          code: 'COMPRESSION_UNSUPPORTED',
        });
      }
      await inLayer('filled', (root) => writeFileSync(join(root, 'd/file'), 'damaged'));
      await expect(tarOf('filled')).rejects.toMatchObject({ code: 'FILE_INTEGRITY' });
    });

    it('keeps the layers locked until an archive was read or is not wanted any more', async () => {
      await twoLayers();
      const later = async (): Promise<string> => (await store.layers.create()).id;
      for (const end of ['dispose', 'break', 'read'] as const) {
        const diff = await store.layers.diff('top');
        let made: string | undefined;
        const making = later().then((id) => {
          made = id;
        });
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(made).toBeUndefined();
        if (end === 'dispose') await diff[Symbol.asyncDispose]();
        else for await (const _ of diff) if (end === 'break') break;
        await making;
        expect(made).toMatch(/^[0-9a-f]{64}$/);
        await diff[Symbol.asyncDispose]();
      }
      await expect(store.layers.diff('nobody')).rejects.toMatchObject({ code: 'LAYER_UNKNOWN' });
      await later();
    });

    it('works on a snapshot of the store', async () => {
      await twoLayers();
      const expected = await tarOf('base');
      const reader = await roots.open({ driver, access: 'snapshot' });
      const chunks: Buffer[] = [];
      for await (const chunk of await reader.layers.diff('base')) chunks.push(Buffer.from(chunk));
      expect(Buffer.concat(chunks).equals(expected)).toBe(true);
    });

    it('warns of sockets, which no archive can hold', async () => {
      await store.layers.create({ id: 'a' });
      await inLayer('a', (root) => {
        execFileSync('python3', ['-c', `import socket; socket.socket(socket.AF_UNIX).bind("${root}/s")`]);
      });
      expect(await tarOf('a')).toHaveLength(1024);
      expect(roots.warnings).toEqual([expect.objectContaining({ code: 'ENTRY_SKIPPED', path: 's' })]);
    });
  },
);

describe.skipIf(noStore !== undefined)(`directories as content of layers (${noStore ?? 'as root'})`, () => {
  let roots: TempRoots;
  let directory: string;

  beforeEach(() => {
    roots = new TempRoots();
    directory = join(roots.directory, 'source');
    mkdirSync(join(directory, 'd'), { recursive: true });
    writeFileSync(join(directory, 'd/file'), 'content');
  });
  afterEach(() => roots.cleanup());

  const openWith = async (driver: string, partial: string): Promise<Store> => {
    const configFile = join(roots.directory, 'storage.conf');
    writeFileSync(configFile, `[storage.options.pull_options]\nenable_partial_images = "${partial}"\n`);
    return await roots.open({ driver, configFile });
  };

  it('makes a directory the content of an empty layer', async () => {
    const store = await openWith('overlay', 'true');
    await store.layers.create({ id: 'base' });
    await store.layers.create({ id: 'layer', parent: 'base' });
    await store.layers.applyDiffFromDirectory('layer', directory);
    expect(await store.layers.get('layer')).toMatchObject({ compression: 'none', uidSet: [0] });
    const root = await store.mount('layer');
    expect(readFileSync(join(root, 'd/file'), 'utf8')).toBe('content');
    await store.unmount('layer');
    const full = expect.objectContaining({ code: 'LAYER_NOT_EMPTY' });
    await expect(store.layers.applyDiffFromDirectory('layer', directory)).rejects.toThrow(full);
    await expect(
      store.layers.applyDiffFromDirectory('base', join(directory, 'd/file')),
    ).rejects.toMatchObject({
      code: 'IO',
    });
    expect(roots.warnings).toEqual([]);
  });

  it.each([
    ['overlay', 'false'],
    ['vfs', 'true'],
  ])('refuses on %s with partial pulls %s', async (driver, partial) => {
    const store = await openWith(driver, partial);
    await store.layers.create({ id: 'layer' });
    await expect(store.layers.applyDiffFromDirectory('layer', directory)).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
    });
  });
});
