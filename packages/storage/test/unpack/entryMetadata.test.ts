import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StorageError } from '@sediment/core';
import { AT_FDCWD, fstatat, mount, umount2 } from '@sediment/posix';
import { afterAll, describe, expect, it } from 'vitest';
import { listTree } from './treeListing.ts';
import { errorOf, NEEDS_ROOT, OVERLAY, testDirectory, unpackEntries, VFS } from './unpackHelper.ts';

const temp = testDirectory('metadata');
afterAll(() => temp.remove());
let count = 0;

const ENGINES = { overlay: OVERLAY, vfs: VFS };
const SECOND = 1_000_000_000n;
const DEFAULT_MTIME = 1_000_000_000n * SECOND;
/** cap_net_raw=ep, revision 2, as setcap writes it. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');

function freshRoot(): string {
  const root = join(temp.path, String(count++));
  mkdirSync(root);
  chmodSync(root, 0o555);
  return root;
}

describe.skipIf(NEEDS_ROOT !== undefined)(`entry metadata (${NEEDS_ROOT ?? 'as root'})`, () => {
  it.each(Object.entries(ENGINES))('sets owner, mode and times, %s', (_, policy) => {
    const root = freshRoot();
    unpackEntries(
      [
        { name: 'd/', mode: 0o1777, uid: 1, gid: 2, mtime: 3 },
        { name: 'd/suid', mode: 0o4755, uid: 5, gid: 6, mtime: 7, data: 'x' },
        { name: 'd/rootsuid', mode: 0o6711, pax: { mtime: '8.123456789' } },
        { name: 'd/none', mode: 0, data: 'x' },
        { name: 'd/s', type: 'symlink', link: 'x', uid: 9, gid: 10, pax: { mtime: '-1.5' } },
        { name: 'd/early', pax: { mtime: '-1.5' } },
        { name: 'd/late', pax: { mtime: '9223372037' } },
        { name: 'd/p', type: 'fifo', mode: 0o622, uid: 11, gid: 12, mtime: 13 },
        { name: 'd/big', uid: 2 ** 31 + 5, gid: 2 ** 32 - 2 },
      ],
      { root, policy },
    );
    expect(factsOf(root)).toMatchObject({
      d: ['1777', '1:2', 3n * SECOND],
      'd/suid': ['4755', '5:6', 7n * SECOND],
      'd/rootsuid': ['6711', '0:0', 8_123_456_789n],
      'd/none': ['0000', '0:0', DEFAULT_MTIME],
      'd/s': ['0777', '9:10', -1_500_000_000n],
      'd/early': ['0644', '0:0', 0n],
      'd/late': ['0644', '0:0', 0n],
      'd/p': ['0622', '11:12', 13n * SECOND],
      'd/big': ['0644', `${2 ** 31 + 5}:${2 ** 32 - 2}`, DEFAULT_MTIME],
    });
  });

  it.each([true, false])(
    'inherits nothing from directories that hand down, umask is zero: %s',
    (umaskIsZero) => {
      const root = freshRoot();
      const acl = Buffer.from(
        '02000000' + '01000700ffffffff' + '04000000ffffffff' + '20000000ffffffff',
        'hex',
      );
      const previous = process.umask(umaskIsZero ? 0 : 0o077);
      try {
        unpackEntries(
          [
            { name: 'setgid/', mode: 0o2775, gid: 50 },
            { name: 'setgid/f', mode: 0o640 },
            { name: 'setgid/e/', mode: 0o755 },
            { name: 'setgid/s', type: 'symlink', link: 'x' },
            { name: 'setgid/p', type: 'fifo' },
            { name: 'acl/', pax: { 'SCHILY.xattr.system.posix_acl_default': acl } },
            { name: 'acl/f', mode: 0o666 },
            { name: 'acl/e/', mode: 0o755 },
            { name: 'late/f', mode: 0o666 },
            { name: 'late/', mode: 0o2775, gid: 50 },
            { name: 'late/g', mode: 0o666 },
            { name: 'suid', mode: 0o4711, data: 'x' },
            { name: 'sgid/', mode: 0o2755 },
            { name: 'sgid/e/', mode: 0o700 },
            { name: 'sgid/e/f', mode: 0o640 },
            { name: 'soon/e/', mode: 0o755 },
            { name: 'soon/', mode: 0o2755 },
            { name: 'soon/g/', mode: 0o755 },
            { name: './', mode: 0o2775, gid: 50 },
            { name: 'in-root', mode: 0o644 },
          ],
          { root, policy: VFS, umaskIsZero },
        );
      } finally {
        process.umask(previous);
      }
      expect(factsOf(root)).toMatchObject({
        setgid: ['2775', '0:50', DEFAULT_MTIME],
        'setgid/f': ['0640', '0:0', DEFAULT_MTIME],
        'setgid/e': ['0755', '0:0', DEFAULT_MTIME],
        'setgid/s': ['0777', '0:0', DEFAULT_MTIME],
        'setgid/p': ['0644', '0:0', DEFAULT_MTIME],
        'acl/f': ['0666', '0:0', DEFAULT_MTIME],
        'acl/e': ['0755', '0:0', DEFAULT_MTIME],
        'late/f': ['0666', '0:0', DEFAULT_MTIME],
        late: ['2775', '0:50', DEFAULT_MTIME],
        'late/g': ['0666', '0:0', DEFAULT_MTIME],
        suid: ['4711', '0:0', DEFAULT_MTIME],
        sgid: ['2755', '0:0', DEFAULT_MTIME],
        'sgid/e': ['0700', '0:0', DEFAULT_MTIME],
        'sgid/e/f': ['0640', '0:0', DEFAULT_MTIME],
        soon: ['2755', '0:0', DEFAULT_MTIME],
        'soon/e': ['0755', '0:0', DEFAULT_MTIME],
        'soon/g': ['0755', '0:0', DEFAULT_MTIME],
        '.': ['2775', '0:50', DEFAULT_MTIME],
        'in-root': ['0644', '0:0', DEFAULT_MTIME],
      });
    },
  );

  it.each(Object.entries(ENGINES))('makes missing parents 0755, whatever the umask, %s', (_, policy) => {
    const root = freshRoot();
    const previous = process.umask(0o077);
    try {
      unpackEntries([{ name: 'a/b/c' }], { root, policy });
    } finally {
      process.umask(previous);
    }
    expect(factsOf(root)).toMatchObject({
      a: ['0755', '0:0', expect.anything()],
      'a/b': ['0755', '0:0', expect.anything()],
    });
  });

  it('gives missing parents to root on overlay, and leaves them as they come on vfs', () => {
    const below = { name: 'setgid/', mode: 0o2775, gid: 50 };
    const [overlay, vfs] = [OVERLAY, VFS].map((policy) => {
      const root = freshRoot();
      unpackEntries([below, { name: 'setgid/new/f' }], { root, policy });
      return listTree(root)['setgid/new'];
    });
    expect(overlay).toMatchObject({ mode: '2755', owner: '0:0' });
    expect(vfs).toMatchObject({ mode: '2755', owner: '0:50' });
  });

  it.each(Object.entries(ENGINES))('restores directory times after all entries, %s', (_, policy) => {
    const root = freshRoot();
    unpackEntries(
      [
        { name: 'a/', mtime: 11 },
        { name: 'a/b/', mtime: 12, pax: { atime: '5' } },
        { name: 'a/b/f' },
        { name: 'c/f' },
        { name: 'c/', mtime: 13 },
        { name: 'c/g' },
        { name: 'a/h' },
      ],
      { root, policy },
    );
    expect(factsOf(root)).toMatchObject({
      a: ['0755', '0:0', 11n * SECOND],
      'a/b': ['0755', '0:0', 12n * SECOND],
      c: ['0755', '0:0', 13n * SECOND],
    });
  });

  it('never lets the access time of a file lie before its modification time', () => {
    const root = freshRoot();
    unpackEntries(
      [
        { name: 'early', mtime: 100, pax: { atime: '5' } },
        { name: 'late', mtime: 100, pax: { atime: '500.000000001' } },
        { name: 'none', mtime: 100 },
      ],
      { root, policy: OVERLAY },
    );
    const atime = (name: string) => fstatat(AT_FDCWD, join(root, name)).atimeNs;
    expect(['early', 'late', 'none'].map(atime)).toEqual([100n * SECOND, 500n * SECOND + 1n, 100n * SECOND]);
  });

  it.each(Object.entries(ENGINES))('lets the last hard link decide about the inode, %s', (_, policy) => {
    const root = freshRoot();
    unpackEntries(
      [
        { name: 'f', mode: 0o4755, uid: 1000, gid: 1000, mtime: 5, data: 'x' },
        { name: 'l', type: 'link', link: 'f', mode: 0o644, mtime: 6 },
        { name: 's', type: 'symlink', link: 'x', uid: 1, gid: 1, mtime: 7 },
        { name: 't', type: 'link', link: 's', mode: 0o600, uid: 2, gid: 2, mtime: 8 },
      ],
      { root, policy },
    );
    const tree = listTree(root);
    expect(tree.f).toMatchObject({ mode: '0644', owner: '0:0', mtimeNs: 6n * SECOND, nlink: 2 });
    expect(tree.l).toEqual(tree.f);
    expect(tree.s).toMatchObject({ mode: '0777', owner: '2:2', mtimeNs: 7n * SECOND, nlink: 2 });
  });

  it('gives whiteouts their owner and no permissions', () => {
    const root = freshRoot();
    unpackEntries([{ name: '.wh.x', uid: 7, gid: 8, mode: 0o777 }], { root, policy: OVERLAY });
    expect(listTree(root).x).toMatchObject({ type: 'char', device: '0:0', mode: '0000', owner: '7:8' });
  });

  it('applies or ignores the root entry as the policy says', () => {
    const entry = { name: './', mode: 0o711, uid: 5, gid: 6, mtime: 7, pax: { 'SCHILY.xattr.user.x': '1' } };
    const [overlay, vfs, absolute] = [
      { policy: OVERLAY, entry },
      { policy: VFS, entry },
      { policy: OVERLAY, entry: { ...entry, name: '/' } },
    ].map(({ policy, entry }) => {
      const root = freshRoot();
      unpackEntries([entry, { name: 'f' }], { root, policy });
      return listTree(root)['.'];
    });
    expect(overlay).toMatchObject({ mode: '0555', owner: '0:0' });
    expect(overlay?.xattrs).toBeUndefined();
    expect(vfs).toMatchObject({
      mode: '0711',
      owner: '5:6',
      mtimeNs: 7n * SECOND,
      xattrs: { 'user.x': '31' },
    });
    expect(absolute).toEqual(vfs);
  });
});

describe.skipIf(NEEDS_ROOT !== undefined)(`extended attributes (${NEEDS_ROOT ?? 'as root'})`, () => {
  it.each(Object.entries(ENGINES))('are set on all kinds of entries, after the owner, %s', (_, policy) => {
    const root = freshRoot();
    const capability = { 'SCHILY.xattr.security.capability': CAPABILITY };
    unpackEntries(
      [
        { name: 'f', uid: 5, gid: 6, mode: 0o755, data: 'x', pax: capability },
        {
          name: 'd/',
          pax: { 'SCHILY.xattr.user.a': 'text', 'SCHILY.xattr.trusted.b': Buffer.from([0, 255, 10]) },
        },
        { name: 's', type: 'symlink', link: 'x', pax: { 'SCHILY.xattr.trusted.c': '1' } },
        { name: 'l', type: 'link', link: 'f', pax: { 'SCHILY.xattr.user.l': '2' } },
        { name: 'p', type: 'fifo', pax: { 'SCHILY.xattr.trusted.p': '3' } },
        { name: 'ignored', pax: { 'SCHILY.xattr.security.selinux': 'x', 'LIBARCHIVE.xattr.user.y': 'x' } },
      ],
      { root, policy },
    );
    const tree = listTree(root);
    // The link's header has another owner, and setting that drops the capability again.
    expect(tree.f?.xattrs).toEqual({ 'user.l': '32' });
    expect(tree.d?.xattrs).toEqual({ 'user.a': '74657874', 'trusted.b': '00ff0a' });
    expect(tree.s?.xattrs).toEqual({ 'trusted.c': '31' });
    expect(tree.p?.xattrs).toEqual({ 'trusted.p': '33' });
    expect(tree.ignored?.xattrs).toBeUndefined();
  });

  it('keep a capability whose owner is set before', () => {
    const root = freshRoot();
    const pax = { 'SCHILY.xattr.security.capability': CAPABILITY };
    unpackEntries([{ name: 'f', uid: 5, gid: 6, mode: 0o4755, data: 'x', pax }], { root, policy: OVERLAY });
    expect(listTree(root).f).toMatchObject({
      mode: '4755',
      xattrs: { 'security.capability': CAPABILITY.toString('hex') },
    });
  });

  it.each([
    [
      'a value that the kernel refuses',
      { name: 'f', pax: { 'SCHILY.xattr.security.capability': 'bad' } },
      'EINVAL',
    ],
    [
      'a user attribute on a symlink',
      { name: 's', type: 'symlink' as const, link: 'x', pax: { 'SCHILY.xattr.user.x': '1' } },
      'EPERM',
    ],
    [
      'a user attribute on a fifo',
      { name: 'p', type: 'fifo' as const, pax: { 'SCHILY.xattr.user.x': '1' } },
      'EPERM',
    ],
  ])('end in an error for %s', (_, entry, errnoCode) => {
    const root = freshRoot();
    const error = errorOf(() => unpackEntries([entry], { root, policy: OVERLAY })) as StorageError;
    expect(error).toMatchObject({
      code: 'UNPACK_FAILED',
      hint: expect.any(String),
      facts: {
        object: 'layer 1',
        path: `${root}/${entry.name}`,
        errnoCode,
        syscall: expect.stringContaining('setxattr'),
      },
    });
  });

  it('are left out with one warning where the file system does not know them', () => {
    const root = freshRoot();
    const pax = { 'SCHILY.xattr.unknown.x': '1' };
    const warnings = unpackEntries(
      [
        { name: 'a', pax },
        { name: 'b', pax },
        { name: 'd/', pax },
      ],
      { root, policy: OVERLAY },
    );
    expect(warnings).toEqual([
      {
        code: 'XATTR_SKIPPED',
        message: expect.stringMatching(/^layer 1: .*unknown\.x.*3 entries, the first is "a"/),
        object: 'layer 1',
        path: 'a',
      },
    ]);
    expect(Object.keys(listTree(root)).sort()).toEqual(['.', 'a', 'b', 'd']);
  });

  it('are left out with a warning where a user namespace may not set them', () => {
    const root = freshRoot();
    const entry = { name: 's', type: 'symlink' as const, link: 'x', pax: { 'SCHILY.xattr.user.x': '1' } };
    const warnings = unpackEntries([entry], { root, policy: OVERLAY, inUserNamespace: true });
    expect(warnings).toMatchObject([{ code: 'XATTR_SKIPPED', path: 's' }]);
  });
});

describe.skipIf(NEEDS_ROOT !== undefined)(`what a host refuses (${NEEDS_ROOT ?? 'as root'})`, () => {
  it('leaves devices out in a user namespace, with a warning', () => {
    const root = freshRoot();
    unpackEntries([{ name: 'c', data: 'old' }], { root, policy: VFS });
    const entries = [
      { name: 'c', type: 'char' as const, major: 1, minor: 3 },
      { name: 'p', type: 'fifo' as const },
    ];
    const warnings = unpackEntries(entries, { root, policy: VFS, inUserNamespace: true });
    expect(warnings).toMatchObject([{ code: 'DEVICE_SKIPPED', path: 'c' }]);
    expect(Object.keys(listTree(root))).toEqual(['.', 'p']);
  });

  it('fails when an owner cannot be set, and says what to do', () => {
    const root = freshRoot();
    const error = asUser(1000, root, () =>
      errorOf(() => unpackEntries([{ name: 'f', data: 'x' }], { root, policy: OVERLAY })),
    );
    expect(error).toMatchObject({
      code: 'UNPACK_FAILED',
      hint: expect.stringContaining('ignore_chown_errors'),
      facts: { errnoCode: 'EPERM', errno: 1, syscall: 'fchown', path: `${root}/f` },
    });
  });

  it('ignores owners when told to, with one warning for each', () => {
    const root = freshRoot();
    const policy = { ...OVERLAY, ignoreChownErrors: true };
    const entries = [
      { name: 'd/' },
      { name: 'd/f', mode: 0o640, data: 'x' },
      { name: 'own', uid: 1000, gid: 1000 },
      { name: 's', type: 'symlink' as const, link: 'x', uid: 5 },
    ];
    const warnings = asUser(1000, root, () => unpackEntries(entries, { root, policy }));
    expect(warnings).toMatchObject([
      { code: 'CHOWN_IGNORED', path: 'd/', message: expect.stringContaining('0:0') },
      { code: 'CHOWN_IGNORED', path: 's', message: expect.stringContaining('5:0') },
    ]);
    expect(listTree(root)).toMatchObject({
      'd/f': { mode: '0640', owner: '1000:1000' },
      own: { mode: '0644', owner: '1000:1000' },
    });
  });

  it('reports a full disk as such', () => {
    const root = freshRoot();
    mount({ source: 'tmpfs', target: root, fstype: 'tmpfs', flags: 0, data: 'size=64k' });
    try {
      const error = errorOf(() =>
        unpackEntries([{ name: 'f', data: Buffer.alloc(100_000) }], { root, policy: OVERLAY }),
      );
      expect(error).toMatchObject({
        code: 'NO_SPACE',
        facts: { errnoCode: 'ENOSPC', object: 'layer 1', path: `${root}/f` },
      });
    } finally {
      umount2(root, 0);
    }
  });
});

function factsOf(root: string): Record<string, [mode: string, owner: string, mtimeNs: bigint]> {
  return Object.fromEntries(
    Object.entries(listTree(root)).map(([path, { mode, owner, mtimeNs }]) => [path, [mode, owner, mtimeNs]]),
  );
}

/** Runs `fn` with the effective ids of a user who owns `root`. */
function asUser<T>(id: number, root: string, fn: () => T): T {
  chmodSync(temp.path, 0o755);
  chownSync(root, id, id);
  chmodSync(root, 0o755);
  process.setegid?.(id);
  process.seteuid?.(id);
  try {
    return fn();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
