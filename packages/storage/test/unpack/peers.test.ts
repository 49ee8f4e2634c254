/** The same layers, unpacked by containers/storage and by us: trees and tar-splits must be equal. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@sediment/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containersStorage, peersSkipReason, peerTitle, tarSplit } from '../../../../test/support/peers.ts';
import { mustRun } from '../../../../test/support/runProgram.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../../../../test/support/storeRoot.ts';
import { compareTrees, listTree } from '../../../../test/support/treeListing.ts';
import { UnpackPool } from '../../src/unpack/unpackPool.ts';
import { EXTRACTOR_CASES } from './extractorCases.ts';
import { BASE, UPPER } from './richLayers.ts';
import { buildTar } from './tarBuilder.ts';
import { sketchTree } from './treeListing.ts';
import { OVERLAY, VFS } from './unpackHelper.ts';

const POLICY = { overlay: OVERLAY, vfs: VFS };
/** Cases where we choose another result than containers/storage (1.43 here, and newer ones by their code), and why. */
const DIFFERENT: Readonly<Record<string, Partial<Record<DriverName, string>>>> = {
  'an empty name': { overlay: 'theirs takes it for the root' },
  'a device that Linux does not have': {
    overlay: 'theirs cuts the number off',
    vfs: 'theirs cuts the number off',
  },
  'a whiteout, then a directory, which must hide what was below': { overlay: 'theirs forgets the deletion' },
  'an opaque marker above directories that only the names of files imply': {
    vfs: 'theirs deletes what the layer itself has',
  },
  'an opaque marker through a symlink, after entries through it': {
    vfs: 'theirs deletes what the layer itself has',
  },
  'a whiteout without a name': { vfs: 'theirs deletes the directory' },
  'a whiteout of "."': { vfs: 'theirs deletes the directory' },
  'an opaque root with AUFS files in use': { vfs: 'theirs deletes the files before they are linked' },
};

let pool: UnpackPool;
beforeAll(() => {
  pool = new UnpackPool();
});
afterAll(async () => await pool.close());

describe.skipIf(peersSkipReason !== undefined)(peerTitle('layers as containers/storage unpacks them'), () => {
  describe.each<DriverName>(['overlay', 'vfs'])('%s', (driver) => {
    let store: StoreRoot;
    beforeAll(() => {
      store = makeStoreRoot({ driver, on: 'ext4' });
    });
    afterAll(() => store.dispose());

    it('two layers with everything in them', async () => {
      const theirs = await importLayers(store, [buildTar(BASE), buildTar(UPPER)]);
      const ours = await withUmask(0o077, () =>
        unpackLayers(store, [buildTar(BASE), buildTar(UPPER)], 'crafted'),
      );
      for (const [i, tree] of ours.entries()) {
        const entries = [...(driver === 'vfs' || i === 0 ? BASE : []), ...(i === 1 ? UPPER : [])];
        const timed = new Set(entries.map(({ name }) => cleanName(name)));
        const differences = compareTrees(
          listTree(theirs[i] as string),
          listTree(tree),
          (path, field) => path === '' || (field === 'mtimeNs' && !timed.has(path)),
        );
        expect(differences).toEqual([]);
      }
    });

    it('files of this host', async () => {
      const tarFile = join(store.path, 'host.tar');
      const options = [
        '--format=posix',
        '--pax-option=delete=atime,delete=ctime',
        '--xattrs',
        '--numeric-owner',
      ];
      const paths = ['etc', 'usr/bin/su', 'usr/sbin', 'usr/share/zoneinfo', 'var/lib/dpkg/info'];
      await mustRun('tar', [...options, '--xattrs-include=*', '-C', '/', '-cf', tarFile, ...paths]);
      const tar = readFileSync(tarFile);
      const [theirs] = await importLayers(store, [tar]);
      const [ours] = await unpackLayers(store, [tar], 'host');
      const implied = new Set(['usr', 'usr/bin', 'usr/share', 'var', 'var/lib', 'var/lib/dpkg']);
      const differences = compareTrees(
        listTree(theirs as string),
        listTree(ours as string),
        (path, field) => path === '' || (field === 'mtimeNs' && implied.has(path)),
      );
      expect(differences).toEqual([]);
    });

    it.each(EXTRACTOR_CASES)('$title', async (example) => {
      const { below, entries, title } = example;
      const layers = [...(driver === 'vfs' && below !== undefined ? [below] : []), entries].map((layer) =>
        buildTar(layer),
      );
      const expected = example[driver];
      const reason = DIFFERENT[title]?.[driver];
      const theirs = await importLayers(store, layers).then(
        (trees) => sketchTree(trees.at(-1) as string),
        () => ({ code: 'failed' }),
      );
      const wanted = typeof expected.code === 'string' ? { code: 'failed' } : expected;
      if (reason === undefined) expect(theirs).toEqual(wanted);
      else expect(theirs).not.toEqual(wanted);
    });
  });

  it('writes tar-splits that tar-split assembles to the very tar', async () => {
    await using store = makeStoreRoot();
    const tar = Buffer.concat([
      buildTar(BASE.filter(({ name }) => !String(name).includes('through/'))),
      Buffer.alloc(700, 1),
    ]);
    const [ours] = await unpackLayers(store, [tar], 'split');
    const output = join(store.path, 'assembled');
    const input = join(store.path, 'split-0.gz');
    await tarSplit(['asm', '--input', input, '--path', ours as string, '--output', output]);
    expect(createHash('sha256').update(readFileSync(output)).digest('hex')).toBe(digestOf(tar).slice(7));
  });
});

/** The directory of each layer's tree in a store of containers/storage. */
async function importLayers(store: StoreRoot, tars: readonly Buffer[]): Promise<string[]> {
  const trees: string[] = [];
  let parent: string | undefined;
  for (const tar of tars) {
    const parents = parent === undefined ? [] : [parent];
    const { stdout } = await containersStorage(store, ['import-layer', ...parents], { input: tar });
    parent = stdout.trim();
    const home = join(store.graphRoot, store.driver);
    trees.push(store.driver === 'vfs' ? join(home, 'dir', parent) : join(home, parent, 'diff'));
  }
  return trees;
}

/** The same by our worker: one tree per layer, as the drivers prepare them. */
async function unpackLayers(store: StoreRoot, tars: readonly Buffer[], name: string): Promise<string[]> {
  const policy = POLICY[store.driver];
  const trees: string[] = [];
  for (const [i, tar] of tars.entries()) {
    const root = join(store.path, `${name}-${i}`);
    if (i === 0 || store.driver === 'overlay') mkdirSync(root);
    else await mustRun('cp', ['-a', await copyByPeer(store, tars.slice(0, i)), root]);
    const path = join(store.path, `${name}-${i}.tar`);
    writeFileSync(path, tar);
    await pool.run({
      what: `layer ${i}`,
      blob: { path, offset: 0, length: tar.length },
      expect: { diffID: digestOf(tar) },
      tree: { root, policy },
      tarSplit: { path: join(store.path, `${name}-${i}.gz`) },
    });
    trees.push(root);
  }
  return trees;
}

/** What their vfs driver makes of a tree when it copies it for the next layer (no trusted xattrs, for example). */
async function copyByPeer(store: StoreRoot, below: readonly Buffer[]): Promise<string> {
  const trees = await importLayers(store, [...below, Buffer.alloc(1024)]);
  return trees.at(-1) as string;
}

/** Theirs obeys the umask where the tar says nothing; ours makes what theirs makes with the usual one, 022. */
async function withUmask<T>(mask: number, fn: () => Promise<T>): Promise<T> {
  const previous = process.umask(mask);
  try {
    return await fn();
  } finally {
    process.umask(previous);
  }
}

function cleanName(name: string | Buffer): string {
  const text = Buffer.from(name).toString('latin1');
  return text.replace(/^(\.?\/)+/, '').replace(/\/$/, '');
}
