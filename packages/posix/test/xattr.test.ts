import { symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  AT_FDCWD,
  close,
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
  O_CLOEXEC,
  O_RDWR,
  openat,
  XATTR_CREATE,
  XATTR_REPLACE,
} from '../src/index.ts';
import { output } from './support/run.ts';
import { isRoot, tempDir } from './support/tempDir.ts';

function newFile(): string {
  const path = `${tempDir()}/file`;
  writeFileSync(path, '');
  return path;
}

function hexOf(path: string, name: string): string {
  return output('getfattr', '-h', '--only-values', '-n', name, '--absolute-names', path);
}

describe.skipIf(!isRoot)('extended attributes (trusted.* needs root)', () => {
  it('writes what getfattr reads', () => {
    const path = newFile();
    lsetxattr(path, 'trusted.overlay.opaque', Buffer.from('y'));
    expect(hexOf(path, 'trusted.overlay.opaque')).toBe('y');
  });

  it('reads what setfattr wrote, byte for byte', () => {
    const path = newFile();
    output('setfattr', '-n', 'trusted.bytes', '-v', '0x00ff80000a', path);
    expect(lgetxattr(path, 'trusted.bytes')).toEqual(Buffer.from('00ff80000a', 'hex'));
  });

  it('tells an empty value from a missing one', () => {
    const path = newFile();
    lsetxattr(path, 'trusted.empty', Buffer.alloc(0));
    expect(lgetxattr(path, 'trusted.empty')).toEqual(Buffer.alloc(0));
    expect(lgetxattr(path, 'trusted.missing')).toBeUndefined();
    expect(() => lgetxattr(`${path}.missing`, 'trusted.empty')).toThrow('ENOENT');
  });

  it('holds the longest value that Linux allows', () => {
    const path = newFile();
    const value = Buffer.alloc(65_536, 7);
    lsetxattr(path, 'trusted.long', value);
    expect(lgetxattr(path, 'trusted.long')).toEqual(value);
    expect(() => lsetxattr(path, 'trusted.long', Buffer.alloc(65_537))).toThrow('E2BIG');
  });

  it('lists and removes names', () => {
    const path = newFile();
    expect(llistxattr(path)).toEqual([]);
    lsetxattr(path, 'trusted.a', Buffer.from('1'));
    lsetxattr(path, Buffer.from([...Buffer.from('trusted.'), 0xff]), Buffer.from('2'));
    expect(
      llistxattr(path)
        .map((name) => name.toString('latin1'))
        .sort(),
    ).toEqual(['trusted.a', 'trusted.\xff']);
    lremovexattr(path, 'trusted.a');
    expect(llistxattr(path)).toHaveLength(1);
    expect(() => lremovexattr(path, 'trusted.a')).toThrow('ENODATA');
  });

  it('works on a symlink itself', () => {
    const path = newFile();
    symlinkSync(path, `${path}.link`);
    lsetxattr(`${path}.link`, 'trusted.link', Buffer.from('l'));
    expect(hexOf(`${path}.link`, 'trusted.link')).toBe('l');
    expect(lgetxattr(path, 'trusted.link')).toBeUndefined();
  });

  it('works on a descriptor', () => {
    const path = newFile();
    const fd = openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    fsetxattr(fd, 'trusted.x', Buffer.from('1'), XATTR_CREATE);
    expect(() => fsetxattr(fd, 'trusted.x', Buffer.from('2'), XATTR_CREATE)).toThrow('EEXIST');
    fsetxattr(fd, 'trusted.x', Buffer.from('3'), XATTR_REPLACE);
    expect(fgetxattr(fd, 'trusted.x')?.toString()).toBe('3');
    expect(fgetxattr(fd, 'trusted.y')).toBeUndefined();
    expect(flistxattr(fd).map(String)).toEqual(['trusted.x']);
    fremovexattr(fd, 'trusted.x');
    expect(flistxattr(fd)).toEqual([]);
    close(fd);
  });
});
