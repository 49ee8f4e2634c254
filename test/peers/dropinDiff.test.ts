import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bzip2Tar, xzTar, zstdTar } from '../support/compressedTars.ts';
import { peersSkipReason, peerTitle } from '../support/peers.ts';
import type { DriverName, StoreRoot } from '../support/storeRoot.ts';
import { layerTree } from '../support/storeSnapshot.ts';
import { gzipTarListing, tarListing } from '../support/tarListing.ts';
import { tarOf } from '../support/tarWriter.ts';
import { listTree } from '../support/treeListing.ts';
import { ownXattrs, type Step, TwinStores } from '../support/twinStores.ts';

const base = tarOf([
  { name: 'etc/', type: 'directory' },
  { name: 'etc/keep', content: 'stays\n' },
  { name: 'etc/change', content: 'old\n' },
  { name: 'etc/delete', content: 'goes\n' },
  { name: 'etc/mode', content: 'was 644\n' },
  { name: 'emptied/', type: 'directory', mode: 0o700 },
  { name: 'emptied/child', content: 'goes with all others\n' },
  { name: 'dir/', type: 'directory', uid: 7, gid: 8 },
  { name: 'dir/deep/', type: 'directory' },
  { name: 'dir/deep/file', content: 'deep\n', uid: 1234567, gid: 7654321 },
]);
const top = tarOf([
  { name: 'etc/', type: 'directory', mode: 0o711 },
  { name: 'etc/.wh.delete' },
  { name: 'etc/change', content: 'new and longer\n', uid: 5 },
  { name: 'emptied/', type: 'directory' },
  { name: 'emptied/.wh..wh..opq' },
  { name: 'link', type: 'symlink', linkname: 'etc/keep' },
  { name: 'hard', type: 'hardlink', linkname: 'etc/change' },
  { name: 'fifo', type: 'fifo', mode: 0o600 },
  { name: 'null', type: 'character', major: 1, minor: 3 },
  { name: 'tagged', content: 'x', pax: { 'SCHILY.xattr.user.note': 'an attribute', mtime: '1600000000.5' } },
  { name: 'long/', type: 'directory' },
  { name: `long/${'name'.repeat(30)}`, content: 'long' },
]);

/** Changes of every kind, with times that are the same for both programs. */
function changeTree(root: string): void {
  const path = (name: string): string => join(root, name);
  writeFileSync(path('etc/change'), 'changed by hand\n');
  rmSync(path('etc/delete'));
  chmodSync(path('etc/mode'), 0o600);
  rmSync(path('emptied'), { recursive: true });
  mkdirSync(path('emptied'));
  writeFileSync(path('emptied/other'), 'other');
  renameSync(path('dir/deep/file'), path('moved'));
  rmSync(path('dir/deep'), { recursive: true });
  mkdirSync(path('new'));
  writeFileSync(path('new/a "quoted"\n\\name\u00e9\u0007'), 'odd');
  symlinkSync('nowhere', path('new/link'));
  linkSync(path('etc/change'), path('new/hard'));
  execFileSync('mkfifo', [path('new/fifo')]);
  const touched = ['etc/change', 'etc/mode', 'etc', 'emptied/other', 'emptied', 'dir', 'moved', 'new/fifo'];
  for (const name of [...touched, 'new/a "quoted"\n\\name\u00e9\u0007', 'new', ''])
    utimesSync(path(name), 1.6e9, 1.6e9);
  lutimesSync(path('new/link'), 1.6e9, 1.6e9);
}

/** Layers filled by diffs in every compression: what was recorded, and the same bytes back. */
function filledLayers(twins: TwinStores): Step[] {
  const files = [
    ['plain', base],
    ['gzip', gzipSync(base)],
    ['xz', xzTar],
    ['bzip2', bzip2Tar],
    ['zstd', zstdTar],
  ] as const;
  return [
    ...files.flatMap(([name, bytes]): Step[] => [
      [['create-layer', '--id', name]],
      [['applydiff', '--file', twins.file(name, bytes), name]],
      [['diff', '--uncompressed', name]],
      [['diffsize', name]],
    ]),
    [['diff', 'plain']],
    [['diff', 'gzip'], { show: (bytes) => gunzipSync(bytes).toString('latin1') }],
    [['diff', 'xz']],
    [['diff', 'bzip2']],
    [['diff', '--gzip', 'xz'], { show: (bytes) => gunzipSync(bytes).toString('latin1') }],
    [['diff', '-u', '-c', '-b', '-x', 'plain']],
    [['diff', '-cb', '-u', 'plain']],
    [['diff', '--bz2=false', '-uc', 'plain'], { show: (bytes) => gunzipSync(bytes).toString('latin1') }],
    [['diff', '--file={DIR}/out', 'plain']],
    [['create-layer', '--id', 'again']],
    [['apply-diff', '-f', '{DIR}/out', 'again']],
    [['create-layer', '--id', 'piped', 'again']],
    [['applydiff', 'piped'], { stdin: gzipSync(top) }],
    [['layer', '-j', 'plain', 'gzip', 'xz', 'bzip2', 'zstd', 'again', 'piped']],
  ];
}

const COMPARED: readonly Step[] = [
  [['changes', 'child'], { unordered: true }],
  [['changes', 'base'], { unordered: true }],
  [['changes', 'child', 'base'], { unordered: true }],
  [['diffsize', 'child']],
  [['diff-size', 'child', 'base']],
  [['diff', 'child'], { show: tarListing }],
  [['diff', '-c', 'child', 'base'], { show: gzipTarListing }],
  [['diff', '-b', 'child']],
  [['diffsize', 'base']],
  [['changes', 'base', 'base']],
  [['changes', '-j', 'base', 'base']],
];

/** What a diff carries of a layer's tree: not the finer part of times, nor how often a file is linked elsewhere. */
function contentOf(store: StoreRoot, id: string): unknown[] {
  return [...listTree(layerTree(store, id)).values()].map((entry) => {
    const { mtimeNs, nlink, links, ...content } = entry;
    return { ...content, xattrs: ownXattrs(entry) };
  });
}

describe.skipIf(peersSkipReason).each<DriverName>(['overlay', 'vfs'])(
  peerTitle('diffs equal those of the Go command, on %s'),
  (driver) => {
    it('of layers that were filled from archives', async () => {
      await using twins = new TwinStores({ driver });
      expect(await twins.run(filledLayers(twins))).toEqual([]);
      expect(twins.compare()).toEqual([]);
    });

    it('of a layer that was written to while it was mounted', async () => {
      await using twins = new TwinStores({ driver });
      const mountPoint = (store: StoreRoot): string =>
        driver === 'vfs' ? layerTree(store, 'child') : join(store.graphRoot, 'overlay/child/merged');
      expect(
        await twins.run([
          [['import-layer', '--id', 'base', '-f', twins.file('base', base)]],
          [['create-layer', '--id', 'child', 'base']],
          [['mount', 'child']],
        ]),
      ).toEqual([]);
      twins.inBoth((store) => changeTree(mountPoint(store)));
      expect(
        await twins.run([
          [['changes', 'child'], { unordered: true }],
          [['diffsize', 'child']],
          [['diff', 'child'], { show: tarListing }],
          [['unmount', 'child']],
          ...COMPARED,
          // the diff, applied to a copy of the parent
          [['diff', '-f', '{DIR}/diff.tar', 'child']],
          [['create-layer', '--id', 'copy', 'base']],
          [['applydiff', '-f', '{DIR}/diff.tar', 'copy']],
        ]),
      ).toEqual([]);
      for (const store of twins.stores) {
        const [written, copied] = ['child', 'copy'].map((id) => contentOf(store, id));
        expect(copied).toEqual(written);
      }
    });

    it('between layers that are not related', async () => {
      await using twins = new TwinStores({ driver });
      expect(
        await twins.run([
          [['import-layer', '--id', 'base', '-f', twins.file('base', base)]],
          [['import-layer', '--id', 'top', '-f', twins.file('top', top), 'base']],
          [['import-layer', '--id', 'other', '-f', twins.file('top', top)]],
          [['changes', 'top'], { unordered: true }],
          [['changes', 'top', 'other'], { unordered: true }],
          [['changes', 'base', 'top'], { unordered: true }],
          [['diffsize', 'top', 'other']],
          [['diff', 'top']],
          [['diff', 'top', 'other'], { show: tarListing }],
          [['diff', 'base', 'top'], { show: tarListing }],
        ]),
      ).toEqual([]);
      expect(twins.compare()).toEqual([]);
    });
  },
);
