import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { makeScratchDirectory, removeScratchDirectory } from '../support/storeRoot.ts';
import { compareTrees, listTree } from '../support/treeListing.ts';

const isRoot = process.getuid?.() === 0;
const rootReason = isRoot ? '' : ' (skipped: needs root)';

const scratch: string[] = [];
function scratchDirectory(): string {
  const path = makeScratchDirectory('harness');
  scratch.push(path);
  return path;
}
afterEach(() => {
  for (const path of scratch.splice(0)) removeScratchDirectory(path);
});

/** A small tree in which everything has a fixed time. */
function plantTree(root: string): string {
  mkdirSync(join(root, 'd'), { recursive: true });
  writeFileSync(join(root, 'd/file'), 'content');
  writeFileSync(join(root, 'd/other'), 'content');
  symlinkSync('file', join(root, 'd/link'));
  for (const name of ['d/file', 'd/other']) chmodSync(join(root, name), 0o644);
  settle(root);
  return root;
}

/** Gives every entry of the planted tree one time again, which the changes under test have moved. */
function settle(root: string): void {
  for (const name of ['d/link', 'd/file', 'd/other', 'd', '']) {
    if (existsSync(join(root, name))) lutimesSync(join(root, name), 1_000_000, 1_000_000);
  }
}

function differencesAfter(change: (root: string) => void): string[] {
  const left = plantTree(join(scratchDirectory(), 'tree'));
  const right = plantTree(join(scratchDirectory(), 'tree'));
  change(right);
  settle(right);
  return compareTrees(listTree(left), listTree(right));
}

describe('compareTrees', () => {
  it('finds equal trees equal', () => {
    expect(differencesAfter(() => undefined)).toEqual([]);
  });

  it.each<[string, (root: string) => void, RegExp]>([
    ['an added entry', (root) => writeFileSync(join(root, 'd/new'), ''), /"d\/new": only on the right/],
    ['a removed entry', (root) => unlinkSync(join(root, 'd/other')), /"d\/other": only on the left/],
    ['a mode', (root) => chmodSync(join(root, 'd/file'), 0o4755), /"d\/file": mode 0644 ≠ 04755/],
    [
      'content of the same size',
      (root) => writeFileSync(join(root, 'd/file'), 'CONTENT'),
      /"d\/file": sha256/,
    ],
    ['a size', (root) => writeFileSync(join(root, 'd/file'), 'longer than it was'), /"d\/file": size 7 ≠ 18/],
    ['a symlink target', (root) => replaceLink(root), /"d\/link": target "file" ≠ "elsewhere"/],
    ['a type', (root) => replaceFileByDirectory(root), /"d\/other": kind "file" ≠ "directory"/],
    ['a hard link', (root) => hardLink(root), /"d\/other": links/],
  ])('detects %s', (_, change, message) => {
    expect(differencesAfter(change).join('\n')).toMatch(message);
  });

  it('detects one nanosecond', () => {
    const left = plantTree(join(scratchDirectory(), 'tree'));
    const right = plantTree(join(scratchDirectory(), 'tree'));
    const touch = (root: string, time: string): unknown =>
      spawnSync('touch', ['-d', `2020-01-01T00:00:00.${time}Z`, join(root, 'd/file')]);
    touch(left, '123456788');
    touch(right, '123456789');
    expect(compareTrees(listTree(left), listTree(right))).toEqual([
      '"d/file": mtimeNs "1577836800123456788" ≠ "1577836800123456789"',
    ]);
  });

  it('leaves out what may differ', () => {
    const left = plantTree(join(scratchDirectory(), 'tree'));
    const right = plantTree(join(scratchDirectory(), 'tree'));
    utimesSync(join(right, 'd'), 1, 1);
    const trees = [listTree(left), listTree(right)] as const;
    expect(compareTrees(...trees)).toHaveLength(1);
    expect(compareTrees(...trees, (path, field) => path === 'd' && field === 'mtimeNs')).toEqual([]);
  });

  it.skipIf(!isRoot).each<[string, string, RegExp]>([
    ['an owner', 'chown 7 d/file', /"d\/file": uid 0 ≠ 7/],
    ['a group', 'chgrp 7 d', /"d": gid 0 ≠ 7/],
    ['the owner of a symlink', 'chown -h 7 d/link', /"d\/link": uid 0 ≠ 7/],
    [
      'a trusted attribute',
      'setfattr -n trusted.overlay.opaque -v y d',
      /"d": xattrs {} ≠ .*trusted.overlay.opaque":"79"/,
    ],
    ['a capability', 'setcap cap_net_raw+ep d/file', /"d\/file": xattrs .*security.capability/],
    ['a device number', 'rm d/other; mknod d/other c 1 3', /"d\/other": rdev undefined ≠ "1:3"/],
  ])(`detects %s${rootReason}`, (_, command, message) => {
    const differences = differencesAfter((root) => {
      const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
      const result = spawnSync('/bin/sh', ['-ec', command], { cwd: root, env, encoding: 'utf8' });
      expect(result.stderr).toBe('');
    });
    expect(differences.join('\n')).toMatch(message);
  });
});

function replaceLink(root: string): void {
  unlinkSync(join(root, 'd/link'));
  symlinkSync('elsewhere', join(root, 'd/link'));
}

function replaceFileByDirectory(root: string): void {
  unlinkSync(join(root, 'd/other'));
  mkdirSync(join(root, 'd/other'));
}

function hardLink(root: string): void {
  unlinkSync(join(root, 'd/other'));
  linkSync(join(root, 'd/file'), join(root, 'd/other'));
}
