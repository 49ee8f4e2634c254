import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AT_EMPTY_PATH, AT_FDCWD, close, fstatat, O_DIRECTORY, O_PATH, openat } from '@sediment/posix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeDescriptorsBelow } from '../../src/unpack/openDescriptors.ts';
import { type DirectoryOpener, openInRoot, walkInRoot } from '../../src/unpack/resolveInRoot.ts';
import { errorOf, testDirectory } from './unpackHelper.ts';

const temp = testDirectory('resolve');
const root = join(temp.path, 'root');
let rootFd: number;

beforeAll(() => {
  mkdirSync(join(root, 'a/b/c'), { recursive: true });
  mkdirSync(join(temp.path, 'outside'));
  writeFileSync(join(root, 'file'), '');
  const links = {
    'to-a': 'a',
    'to-root': '/',
    'to-b': '/to-a/b',
    above: '../../../../..',
    out: '../outside',
    host: '/proc',
    loop: 'loop2',
    loop2: '/loop',
    'a/up': '..',
    'a/b/abs': '/a/up/a',
    'a/b/back': '../../a//./b',
    'to-file': 'file',
    dangling: 'none',
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
  chain('deep', 40);
  chain('deeper', 41);
  rootFd = openat(AT_FDCWD, root, O_PATH | O_DIRECTORY);
});
afterAll(() => {
  close(rootFd);
  temp.remove();
});

/** `<name>` leads to `a` through that many symlinks. */
function chain(name: string, length: number): void {
  for (let i = 1; i < length; i++) symlinkSync(`${name}${i + 1}`, join(root, i === 1 ? name : `${name}${i}`));
  symlinkSync('a', join(root, `${name}${length}`));
}

describe.each<[string, DirectoryOpener]>([
  ['openat2', openInRoot],
  ['component walk', walkInRoot],
])('resolving paths in a root by %s', (_, open) => {
  it.each([
    ['', '.'],
    ['.', '.'],
    ['a/b/c', 'a/b/c'],
    ['a//b/./c/', 'a/b/c'],
    ['to-a/b', 'a/b'],
    ['to-b/c', 'a/b/c'],
    ['to-root/a', 'a'],
    ['a/up/a/b/back/c', 'a/b/c'],
    ['a/b/abs/b', 'a/b'],
    ['above', '.'],
    ['above/a/../../..', '.'],
    ['../../a', 'a'],
    ['deep/b', 'a/b'],
  ])('%j is %j', (path, expected) => {
    const fd = open(rootFd, Buffer.from(path));
    try {
      expect(Number(fstatat(fd, '', AT_EMPTY_PATH).ino)).toBe(statSync(join(root, expected)).ino);
    } finally {
      close(fd);
    }
  });

  it.each([
    ['none', 'ENOENT'],
    ['a/none/b', 'ENOENT'],
    ['dangling', 'ENOENT'],
    ['out', 'ENOENT'],
    ['host/self', 'ENOENT'],
    ['above/dev/shm', 'ENOENT'],
    ['file', 'ENOTDIR'],
    ['file/x', 'ENOTDIR'],
    ['to-file/..', 'ENOTDIR'],
    ['loop/x', 'ELOOP'],
    ['deeper', 'ELOOP'],
    ['x'.repeat(256), 'ENAMETOOLONG'],
    ['a/'.repeat(2048), 'ENAMETOOLONG'],
  ])('%j ends in %s, and leaves nothing open', (path, code) => {
    const before = readdirSync('/proc/self/fd').length;
    expect(errorOf(() => open(rootFd, Buffer.from(path)))).toMatchObject({ code });
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('closeDescriptorsBelow', () => {
  it('closes what is open on a directory and below, and nothing else', () => {
    const inside = ['', 'a/b', 'file'].map((path) => openat(AT_FDCWD, join(root, path), O_PATH));
    const other = openat(AT_FDCWD, join(temp.path, 'outside'), O_PATH);
    close(rootFd);
    closeDescriptorsBelow(root);
    for (const fd of inside) expect(errorOf(() => close(fd))).toMatchObject({ code: 'EBADF' });
    close(other);
    rootFd = openat(AT_FDCWD, root, O_PATH | O_DIRECTORY);
  });
});
