import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { close, MS_BIND, mkdirat, mount, O_CLOEXEC, O_DIRECTORY, openat } from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountsBelow } from '../../../../test/support/mounts.ts';
import {
  makeScratchDirectory,
  makeStoreRoot,
  removeScratchDirectory,
} from '../../../../test/support/storeRoot.ts';
import { removeTree } from '../../src/staging/removeTree.ts';

const isRoot = process.geteuid?.() === 0;

describe.skipIf(!isRoot)('removeTree (needs root for mounts and flags)', () => {
  let scratch: string;
  let tree: string;

  beforeEach(() => {
    scratch = makeScratchDirectory('remove');
    tree = join(scratch, 'tree');
    mkdirSync(tree);
  });
  afterEach(() => {
    spawnSync('chattr', ['-R', '-f', '-i', '-a', scratch]);
    removeScratchDirectory(scratch);
  });

  it('removes files, directories and symlinks without following them', () => {
    const outside = join(scratch, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'precious'), 'p');
    mkdirSync(join(tree, 'a/b'), { recursive: true });
    writeFileSync(join(tree, 'a/b/file'), '');
    symlinkSync(outside, join(tree, 'a/link'));
    removeTree(tree);
    expect(existsSync(tree)).toBe(false);
    expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe('p');
  });

  it('accepts a missing path, a file and a dangling symlink', () => {
    removeTree(join(scratch, 'missing'));
    writeFileSync(join(scratch, 'file'), '');
    removeTree(join(scratch, 'file'));
    symlinkSync('nowhere', join(scratch, 'link'));
    removeTree(join(scratch, 'link'));
    expect(existsSync(join(scratch, 'file'))).toBe(false);
  });

  it('removes names that are not UTF-8', () => {
    const directory = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x2d])]);
    mkdirSync(directory);
    writeFileSync(Buffer.concat([directory, Buffer.from([0x2f, 0xe9])]), '');
    removeTree(tree);
    expect(existsSync(tree)).toBe(false);
  });

  it('removes trees deeper than a path can say', () => {
    const name = 'd'.repeat(250);
    let fd = openSync(tree, 'r');
    for (let depth = 0; depth < 60; depth++) {
      mkdirat(fd, name, 0o755);
      const next = openat(fd, name, O_DIRECTORY | O_CLOEXEC);
      close(fd);
      fd = next;
    }
    close(fd);
    removeTree(tree);
    expect(existsSync(tree)).toBe(false);
  });

  it('detaches what is mounted below and leaves its content alone', () => {
    const outside = join(scratch, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'precious'), 'p');
    for (const name of ['bind', 'memory']) mkdirSync(join(tree, name));
    mount({ source: outside, target: join(tree, 'bind'), flags: MS_BIND });
    mount({ source: 'tmpfs', target: join(tree, 'memory'), fstype: 'tmpfs' });
    mkdirSync(join(tree, 'memory/inner'));
    mount({ source: outside, target: join(tree, 'memory/inner'), flags: MS_BIND });
    removeTree(tree);
    expect(existsSync(tree)).toBe(false);
    expect(mountsBelow(tree)).toEqual([]);
    expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe('p');
  });

  it('detaches a bind mount of the same file system on a file', () => {
    writeFileSync(join(scratch, 'precious'), 'p');
    writeFileSync(join(tree, 'file'), '');
    mount({ source: join(scratch, 'precious'), target: join(tree, 'file'), flags: MS_BIND });
    removeTree(tree);
    expect(existsSync(tree)).toBe(false);
    expect(readFileSync(join(scratch, 'precious'), 'utf8')).toBe('p');
  });

  it('removes immutable and append-only files and directories (on ext4)', async () => {
    await using store = makeStoreRoot({ on: 'ext4' });
    const top = join(store.path, 'tree');
    mkdirSync(join(top, 'dir'), { recursive: true });
    writeFileSync(join(top, 'dir/immutable'), '');
    writeFileSync(join(top, 'append'), '');
    execFileSync('chattr', ['+i', join(top, 'dir/immutable')]);
    execFileSync('chattr', ['+i', join(top, 'dir')]);
    execFileSync('chattr', ['+a', join(top, 'append')]);
    removeTree(top);
    expect(existsSync(top)).toBe(false);
  });
});
