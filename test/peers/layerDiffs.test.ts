import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openStore, type Store } from '@sediment/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containersStorage, peersSkipReason, peerTitle } from '../support/peers.ts';
import { plainTar, tarLines } from '../support/plainTar.ts';
import { makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { compareTrees, listTree, type Tree, type TreeField } from '../support/treeListing.ts';

const LONG = 'a-name-of-some-length/'.repeat(9);

/** What the lower layer has. */
function fillBase(root: string): void {
  mkdirSync(join(root, 'kept/deep/er'), { recursive: true });
  mkdirSync(join(root, 'gone/with/all'), { recursive: true });
  mkdirSync(join(root, 'replaced'));
  mkdirSync(join(root, 'renamed/inner'), { recursive: true });
  for (const name of [
    'kept/deep/er/file',
    'kept/changed',
    'kept/chmod',
    'kept/deleted',
    'gone/with/all/of-it',
    'replaced/old',
    'renamed/inner/file',
    'becomes-a-directory',
    'linked',
    'touched',
  ]) {
    writeFileSync(join(root, name), `base ${name}`);
  }
  mkdirSync(join(root, 'becomes-a-file'));
  writeFileSync(join(root, 'becomes-a-file/x'), '');
  symlinkSync('kept', join(root, 'link'));
  writeFileSync(join(root, 'empty'), '');
}

/** Changes of every kind, as a container makes them. */
function change(root: string): void {
  const at = (name: string): string => join(root, name);
  const run = (program: string, ...args: string[]): unknown => execFileSync(program, args);
  writeFileSync(at('kept/changed'), 'new content');
  run('chmod', '4711', at('kept/chmod'));
  rmSync(at('kept/deleted'));
  rmSync(at('gone'), { recursive: true });
  rmSync(at('replaced'), { recursive: true });
  mkdirSync(at('replaced'));
  writeFileSync(at('replaced/new'), 'new');
  renameSync(at('renamed/inner/file'), at('renamed/inner/moved'));
  rmSync(at('becomes-a-directory'));
  mkdirSync(at('becomes-a-directory'));
  rmSync(at('becomes-a-file'), { recursive: true });
  writeFileSync(at('becomes-a-file'), 'file');
  linkSync(at('linked'), at('kept/linked-too'));
  utimesSync(at('touched'), 1_000_000_000.75, 1_000_000_000.75);
  rmSync(at('link'));
  symlinkSync('/etc/../nowhere', at('link'));
  mkdirSync(at('made/by/us'), { recursive: true });
  run('chmod', '1777', at('made'));
  writeFileSync(at('made/one'), 'one');
  linkSync(at('made/one'), at('made/two'));
  linkSync(at('made/one'), at('made/by/three'));
  symlinkSync('one', at('made/symlink'));
  linkSync(at('made/symlink'), at('made/symlink-too'));
  run('mkfifo', '-m', '640', at('made/fifo'));
  run('mknod', '-m', '600', at('made/char'), 'c', '1', '3');
  run('mknod', '-m', '660', at('made/block'), 'b', '7', '300');
  run('chown', '-h', '1234:5678', at('made/one'), at('made/symlink'), at('made/by'));
  run('chown', '3000000:70000', at('made/char'));
  run('setfattr', '-n', 'user.kept', '-v', 'a value', at('made/by'));
  run('setcap', 'cap_net_raw=ep', at('made/two'));
  run(
    'python3',
    '-c',
    `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(at('made/socket'))})`,
  );
  mkdirSync(at(LONG), { recursive: true });
  writeFileSync(at(`${LONG}file`), 'at a long path');
  writeFileSync(at(`${LONG}${'x'.repeat(120)}`), 'with a long name');
  symlinkSync(`${LONG}file`, at('made/long-link'));
  writeFileSync(at('made/Ünï-code'), 'not ASCII');
  writeFileSync(Buffer.concat([Buffer.from(at('made/raw-')), Buffer.from([0xff, 0xe9])]), 'not UTF-8');
  writeFileSync(at('made/big'), Buffer.alloc(3_000_000, 'big'));
  run('touch', '-d', '@-5', at('made/old'));
}

/** The time of a root directory tells when something was last made in it. */
function rootTime(path: string, field: TreeField): boolean {
  return path === '' && field === 'mtimeNs';
}

function unzstd(bytes: Buffer): Buffer {
  return execFileSync('zstd', ['-q', '-d'], { input: bytes, maxBuffer: 1 << 30 });
}

describe.skipIf(peersSkipReason !== undefined).each(['overlay', 'vfs'] as const)(
  peerTitle('diffs of %s layers'),
  (driver) => {
    let root: StoreRoot;
    let store: Store;

    beforeEach(async () => {
      root = makeStoreRoot({ driver, on: 'ext4' });
      store = await openStore({ configFile: root.env.CONTAINERS_STORAGE_CONF as string });
    });
    afterEach(async () => {
      await store.close();
      root.dispose();
    });

    const theirs = async (...args: string[]): Promise<string> =>
      (await containersStorage(root, args)).stdout.trim();
    const theirDiff = async (...args: string[]): Promise<Buffer> => {
      const file = join(root.path, `diff-${Math.random()}`);
      await containersStorage(root, ['diff', '--file', file, ...args]);
      return readFileSync(file);
    };
    const ourDiff = async (...[layer, options]: Parameters<Store['layers']['diff']>): Promise<Buffer> => {
      const chunks: Buffer[] = [];
      for await (const chunk of await store.layers.diff(layer, options)) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    };
    const theirChanges = async (...args: string[]): Promise<string[]> => {
      const changes = JSON.parse((await theirs('changes', '-j', ...args)) || 'null') as
        | { Path: string; Kind: number }[]
        | null;
      return (changes ?? []).map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`).sort();
    };
    const ourChanges = async (layer: string, from?: string): Promise<string[]> => {
      const letter = { modify: 'C', add: 'A', delete: 'D' } as const;
      const changes = await store.layers.changes(layer, from);
      return changes.map(({ path, kind }) => `${letter[kind]} ${path}`).sort();
    };
    const write = async (layer: string, fill: (mounted: string) => void): Promise<void> => {
      const mounted = await store.mount(layer);
      try {
        fill(mounted);
      } finally {
        await store.unmount(layer);
      }
    };
    const twoLayers = async (): Promise<void> => {
      await store.layers.create({ id: 'base' });
      await write('base', fillBase);
      await store.layers.create({ id: 'top', parent: 'base' });
      await write('top', change);
    };

    it('shows and sums up what was written to a layer, as the Go command does', async () => {
      await twoLayers();
      for (const args of [['base'], ['top'], ['top', 'base'], ['base', 'top'], ['top', 'top']] as const) {
        const [layer, from] = args;
        expect(await ourChanges(layer, from), args.join()).toEqual(await theirChanges(...args));
        expect(String(await store.layers.diffSize(layer, from)), args.join()).toBe(
          await theirs('diffsize', ...args),
        );
      }
      expect((await ourChanges('top')).length).toBeGreaterThan(30);
    });

    it('writes the archive of it byte for byte, but for names of users', async () => {
      await twoLayers();
      // The Go command cannot tell the changes of an overlay layer with this.
      await write('top', (mounted) => writeFileSync(join(mounted, 'becomes-a-directory/x'), 'x'));
      for (const args of [['base'], ['top'], ['base', 'top']] as const) {
        const [layer, from] = args;
        const naive = driver === 'vfs' || from !== undefined;
        const plain = (tar: Buffer): Buffer => plainTar(tar, { withoutWhiteoutTimes: naive });
        const ours = plain(await ourDiff(layer, from === undefined ? {} : { from }));
        const peers = plain(await theirDiff(...args));
        expect(tarLines(ours), args.join()).toEqual(tarLines(peers));
        expect(ours.equals(peers), args.join()).toBe(true);
      }
    });

    const compressed = (tar: Buffer): Record<string, Buffer> => ({
      none: tar,
      gzip: gzipSync(tar),
      bzip2: execFileSync('bzip2', { input: tar, maxBuffer: 1 << 30 }),
      xz: execFileSync('xz', { input: tar, maxBuffer: 1 << 30 }),
      zstd: execFileSync('zstd', ['-q'], { input: tar, maxBuffer: 1 << 30 }),
    });
    const recorded = async (id: string): Promise<unknown> => {
      const [record] = JSON.parse(await theirs('layer', '-j', id)) as Record<string, unknown>[];
      const { id: _, created, parent, ...rest } = record ?? {};
      return rest;
    };

    it('fills layers as the Go command does, from every kind of stream, and gives the archive back', async () => {
      await twoLayers();
      const [baseTar, topTar] = [await theirDiff('base'), await theirDiff('top')];
      for (const [kind, blob] of Object.entries(compressed(topTar))) {
        const file = join(root.path, 'blob');
        const baseFile = join(root.path, 'base-blob');
        writeFileSync(file, blob);
        writeFileSync(baseFile, baseTar);
        await containersStorage(root, ['import-layer', '--id', `theirs-${kind}-base`, '-f', baseFile]);
        await containersStorage(root, [
          'import-layer',
          '--id',
          `theirs-${kind}`,
          '-f',
          file,
          `theirs-${kind}-base`,
        ]);
        await store.layers.put({ id: `ours-${kind}-base`, diff: createReadStream(baseFile) });
        const { layer } = await store.layers.put({
          id: `ours-${kind}`,
          parent: `ours-${kind}-base`,
          diff: createReadStream(file),
        });
        expect(layer.compression).toBe(kind);
        expect(await recorded(`ours-${kind}`)).toEqual(await recorded(`theirs-${kind}`));
        await store.layers.create({ id: `applied-${kind}`, parent: `ours-${kind}-base` });
        await store.layers.applyDiff(`applied-${kind}`, createReadStream(file));
        expect(await recorded(`applied-${kind}`)).toEqual(await recorded(`theirs-${kind}`));

        const shown = async (id: string): Promise<Tree> => {
          const mounted = await store.mount(id);
          try {
            return listTree(mounted);
          } finally {
            await store.unmount(id);
          }
        };
        const tree = await shown(`theirs-${kind}`);
        expect(compareTrees(await shown(`ours-${kind}`), tree, rootTime), kind).toEqual([]);
        expect(compareTrees(await shown(`applied-${kind}`), tree, rootTime), kind).toEqual([]);

        // Whoever filled the layer, the other one gives the very archive back.
        expect((await theirDiff('-u', `ours-${kind}`)).equals(topTar), kind).toBe(true);
        expect((await theirDiff('-u', `applied-${kind}`)).equals(topTar), kind).toBe(true);
        expect((await ourDiff(`theirs-${kind}`, { compression: 'none' })).equals(topTar), kind).toBe(true);
        if (kind === 'bzip2' || kind === 'xz') {
          const refusal = `unsupported compression format tar.${kind === 'xz' ? 'xz' : 'bz2'}`;
          await expect(store.layers.diff(`theirs-${kind}`)).rejects.toThrow(refusal);
          const refused = await containersStorage(root, ['diff', `ours-${kind}`], { mayFail: true });
          expect(refused.stderr).toContain(refusal);
          continue;
        }
        const again = await ourDiff(`theirs-${kind}`);
        const plain = kind === 'none' ? again : kind === 'gzip' ? gunzipSync(again) : unzstd(again);
        expect(plain.equals(topTar), kind).toBe(true);
        expect(again.equals(topTar), kind).toBe(kind === 'none');
      }
    });

    it('lets the Go command apply what we write, and applies what it writes', async () => {
      await twoLayers();
      const fill = async (
        id: string,
        tars: readonly [Buffer, Buffer],
        by: 'ours' | 'theirs',
      ): Promise<Tree> => {
        const [base, top] = [`${id}-base`, `${id}-top`];
        for (const [i, name] of [base, top].entries()) {
          const file = join(root.path, name);
          writeFileSync(file, tars[i] as Buffer);
          const parent = i === 0 ? [] : [base];
          if (by === 'theirs')
            await containersStorage(root, ['import-layer', '-i', name, '-f', file, ...parent]);
          else
            await store.layers.put({
              id: name,
              diff: createReadStream(file),
              ...(i === 0 ? {} : { parent: base }),
            });
        }
        const mounted = await store.mount(top);
        const tree = listTree(mounted);
        await store.unmount(top);
        return tree;
      };
      const ours = await fill('a', [await ourDiff('base'), await ourDiff('top')], 'theirs');
      const peers = await fill('b', [await theirDiff('base'), await theirDiff('top')], 'ours');
      expect(compareTrees(ours, peers, rootTime)).toEqual([]);
      const mounted = await store.mount('top');
      const original = listTree(mounted);
      await store.unmount('top');
      original.delete('made/socket');
      // Archives keep whole seconds, and hard links to what lies in lower layers are parted.
      const differences = compareTrees(
        ours,
        original,
        (path, field) => field === 'mtimeNs' || rootTime(path, field),
      );
      expect(differences.filter((line) => !/^"(linked|kept\/linked-too)": (nlink|links)/.test(line))).toEqual(
        [],
      );
    });

    it('gives content the ids of a mapping, and shows it as it is inside', async () => {
      await twoLayers();
      const tars = [await theirDiff('base'), await theirDiff('top')] as const;
      const maps = [{ containerId: 0, hostId: 100_000, size: 5_000_000 }];
      const text = maps.map(({ containerId, hostId, size }) => `${containerId}:${hostId}:${size}`).join(':');
      const options = ['--uidmap', text, '--gidmap', text];
      const trees: Tree[] = [];
      for (const who of ['ours', 'theirs']) {
        for (const [i, name] of [`${who}-base`, `${who}-top`].entries()) {
          const file = join(root.path, name);
          writeFileSync(file, tars[i] as Buffer);
          const parent = i === 0 ? undefined : `${who}-base`;
          if (who === 'theirs') {
            await containersStorage(root, [
              'import-layer',
              ...options,
              '-i',
              name,
              '-f',
              file,
              ...(parent === undefined ? [] : [parent]),
            ]);
          } else {
            const request = { id: name, uidMap: maps, gidMap: maps, diff: createReadStream(file) };
            await store.layers.put(parent === undefined ? request : { ...request, parent });
          }
        }
        await store.layers.create({ id: `${who}-box`, parent: `${who}-top` });
        await write(`${who}-box`, (mounted) => {
          writeFileSync(join(mounted, 'written'), 'x');
          execFileSync('chown', ['100005:100006', join(mounted, 'written')]);
        });
        const mounted = await store.mount(`${who}-top`);
        trees.push(listTree(mounted));
        await store.unmount(`${who}-top`);
      }
      expect(await recorded('ours-top')).toEqual(await recorded('theirs-top'));
      expect(compareTrees(trees[0] as Tree, trees[1] as Tree, rootTime)).toEqual([]);
      expect((await ourDiff('theirs-top')).equals(tars[1])).toBe(true);
      for (const layer of ['ours-box', 'theirs-box']) {
        expect(tarLines(plainTar(await ourDiff(layer)))).toEqual(tarLines(plainTar(await theirDiff(layer))));
        expect(await ourChanges(layer)).toEqual(await theirChanges(layer));
      }
    });
  },
);
