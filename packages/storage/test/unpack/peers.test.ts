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
import { buildTar, type EntrySpec } from './tarBuilder.ts';
import { sketchTree } from './treeListing.ts';
import { OVERLAY, VFS } from './unpackHelper.ts';

const POLICY = { overlay: OVERLAY, vfs: VFS };
/** cap_net_raw=ep, revision 2, as setcap writes it. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const LATIN1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const BASE: EntrySpec[] = [
  { name: './', mode: 0o711, uid: 3, gid: 4, mtime: 5 },
  { name: 'etc/', mtime: 100 },
  { name: 'etc/gone', data: 'deleted by the next layer' },
  { name: 'etc/replaced/', mtime: 106 },
  { name: 'etc/emptied/', mtime: 107 },
  { name: 'etc/replaced/child/deep', data: 'replaced by the next layer' },
  { name: 'etc/emptied/hidden/f', data: 'hidden by the next layer' },
  { name: 'etc/kept', data: 'kept', mode: 0o640, gid: 42, pax: { mtime: '1600000000.123456789' } },
  { name: 'bin/', mtime: 101 },
  { name: 'bin/su', mode: 0o4755, data: 'suid', mtime: 7 },
  { name: 'bin/ping', mode: 0o755, data: 'cap', pax: { 'SCHILY.xattr.security.capability': CAPABILITY } },
  { name: 'bin/sg', mode: 0o2711, uid: 1000, gid: 1001, data: 'sgid' },
  { name: 'bin/link', type: 'link', link: 'bin/ping', mode: 0o711, uid: 9, mtime: 9 },
  { name: 'bin/sh', type: 'symlink', link: '/bin/su', uid: 1, gid: 2, pax: { mtime: '-3.25' } },
  { name: 'bin/lnlink', type: 'link', link: 'bin/sh', mtime: 11 },
  { name: 'dev/', mode: 0o2775, gid: 50, mtime: 102 },
  { name: 'dev/null', type: 'char', mode: 0o666, major: 1, minor: 3 },
  { name: 'dev/sda', type: 'block', mode: 0o660, gid: 6, major: 259, minor: 300 },
  { name: 'dev/pipe', type: 'fifo', mode: 0o1622, uid: 7, mtime: 12 },
  { name: 'dev/inherits/f', data: 'in a set-group-ID directory' },
  {
    name: 'tmp/',
    mode: 0o1777,
    mtime: 103,
    pax: { 'SCHILY.xattr.user.note': 'x', 'SCHILY.xattr.trusted.t': LATIN1('\0\xff') },
  },
  { name: LATIN1('tmp/caf\xe9/'), mtime: 104 },
  { name: LATIN1('tmp/caf\xe9/\xff\xfe'), data: 'bytes' },
  { name: 'tmp/s', type: 'symlink', link: LATIN1('caf\xe9') },
  { name: `tmp/${'long/'.repeat(60)}`, mtime: 105 },
  { name: `tmp/${'long/'.repeat(60)}${'n'.repeat(255)}`, data: 'long', uid: 2 ** 30 },
  { name: 'tmp/old', data: 'before 1970', pax: { mtime: '-100.5' } },
  { name: 'tmp/big', data: Buffer.alloc(3_000_000, 'content ') },
  { name: 'tmp/through', type: 'symlink', link: '/etc' },
  { name: 'tmp/through/made', data: 'through a symlink' },
  { name: 'implied/by/name', data: 'x' },
];

const UPPER: EntrySpec[] = [
  { name: 'etc/', mode: 0o700, mtime: 200 },
  { name: 'etc/.wh.gone', uid: 5, gid: 6 },
  { name: 'etc/.wh.nothing' },
  { name: 'etc/replaced', type: 'symlink', link: 'kept', mtime: 201 },
  { name: 'etc/emptied/', mtime: 202 },
  { name: 'etc/emptied/new', data: 'new' },
  { name: 'etc/emptied/.wh..wh..opq' },
  { name: 'bin/', mtime: 203 },
  { name: 'bin/su', data: 'no longer suid', mode: 0o755 },
  { name: 'bin/link/', mode: 0o750, mtime: 204 },
  { name: 'bin/link/f', type: 'link', link: 'bin/su', mode: 0o700, mtime: 205 },
  { name: 'dev/', mode: 0o755, mtime: 206 },
  { name: 'dev/pipe', data: 'a file now' },
];

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
