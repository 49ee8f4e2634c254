import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  close,
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  fstatat,
  fstatatIfExists,
  futimens,
  major,
  makedev,
  minor,
  mknodat,
  O_CLOEXEC,
  O_RDWR,
  openat,
  readMountInfo,
  regularFileSize,
  S_IFBLK,
  S_IFLNK,
  S_IFMT,
  utimensat,
} from '../src/index.ts';
import { output } from './support/run.ts';
import { isLinux, isRoot, tempDir } from './support/tempDir.ts';

function newFile(): string {
  const path = `${tempDir()}/file`;
  writeFileSync(path, 'content');
  return path;
}

describe.skipIf(!isLinux)('times (needs Linux)', () => {
  it.each([
    ['now', 1_700_000_000_123_456_789n, '1700000000.123456789'],
    ['the epoch', 0n, '0.000000000'],
    ['just before the epoch', -1n, '-0.000000001'],
    ['long before 1970', -2_000_000_000_000_000_001n, '-2000000000.000000001'],
    ['after 2038', 5_000_000_000_000_000_007n, '5000000000.000000007'],
  ])('%s, by path and by descriptor', (_, timeNs, text) => {
    const path = newFile();
    utimensat(AT_FDCWD, path, { mtimeNs: timeNs });
    expect(output('stat', '-c', '%.9Y', path)).toBe(text);
    expect(fstatat(AT_FDCWD, path).mtimeNs).toBe(timeNs);
    const fd = openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    futimens(fd, { mtimeNs: 5n });
    futimens(fd, { mtimeNs: timeNs, atimeNs: 7n });
    expect(output('stat', '-c', '%.9Y %.9X', path)).toBe(`${text} 0.000000007`);
    close(fd);
  });

  it('leaves an omitted time alone', () => {
    const path = newFile();
    utimensat(AT_FDCWD, path, { atimeNs: 11n, mtimeNs: 12n });
    utimensat(AT_FDCWD, path, { mtimeNs: 13n });
    expect(fstatat(AT_FDCWD, path)).toMatchObject({ atimeNs: 11n, mtimeNs: 13n });
  });

  it('sets those of a symlink, not of its target', () => {
    const path = newFile();
    symlinkSync(path, `${path}.link`);
    const before = fstatat(AT_FDCWD, path).mtimeNs;
    utimensat(AT_FDCWD, `${path}.link`, { mtimeNs: 42n });
    expect(output('stat', '-c', '%.9Y', `${path}.link`)).toBe('0.000000042');
    expect(fstatat(AT_FDCWD, path).mtimeNs).toBe(before);
  });

  it('refuses a time that the kernel cannot hold', () => {
    expect(() => utimensat(AT_FDCWD, '/dev/null', { mtimeNs: 2n ** 95n })).toThrow(RangeError);
  });
});

describe.skipIf(!isLinux)('stat (needs Linux)', () => {
  it('agrees with stat(1)', () => {
    const path = newFile();
    const { dev, ino, mode, nlink, uid, gid, size, blocks } = fstatat(AT_FDCWD, path);
    const text = [dev, ino, mode.toString(16), nlink, uid, gid, size, blocks].join(' ');
    expect(text).toBe(output('stat', '-c', '%d %i %f %h %u %g %s %b', path));
  });

  it('takes a symlink for itself unless told otherwise', () => {
    const path = newFile();
    symlinkSync(path, `${path}.link`);
    expect(fstatat(AT_FDCWD, `${path}.link`).mode & S_IFMT).toBe(S_IFLNK);
    expect(fstatat(AT_FDCWD, `${path}.link`, 0).size).toBe(7);
  });

  it('gives the mount that a file is on', () => {
    const mount = readMountInfo().find(({ mountPoint }) => mountPoint === '/proc');
    expect(fstatat(AT_FDCWD, '/proc').mntId).toBe(mount?.mountId);
  });

  it('tells a missing file from other failures', () => {
    const path = newFile();
    expect(fstatatIfExists(AT_FDCWD, `${path}.missing`)).toBeUndefined();
    expect(fstatatIfExists(AT_FDCWD, path)?.size).toBe(7);
    expect(() => fstatatIfExists(AT_FDCWD, `${path}/below`)).toThrow('ENOTDIR');
    expect(regularFileSize(AT_FDCWD, path)).toBe(7);
    for (const other of [`${path}.missing`, dirname(path), '/dev/null', '/proc/self/exe']) {
      expect(regularFileSize(AT_FDCWD, other)).toBeUndefined();
    }
    expect(() => regularFileSize(AT_FDCWD, `${path}/below`)).toThrow('ENOTDIR');
  });
});

describe.skipIf(!isRoot)('owner and mode (needs root)', () => {
  it('sets them by path and by descriptor', () => {
    const path = newFile();
    fchownat(AT_FDCWD, path, 12, 4_294_967_290);
    fchmodat(AT_FDCWD, path, 0o4751);
    expect(output('stat', '-c', '%u %g %a', path)).toBe('12 4294967290 4751');
    const fd = openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    fchown(fd, 13, 14);
    fchmod(fd, 0o600);
    expect(output('stat', '-c', '%u %g %a', path)).toBe('13 14 600');
    fchownat(fd, '', 15, 16, AT_EMPTY_PATH);
    expect(output('stat', '-c', '%u %g', path)).toBe('15 16');
    close(fd);
  });

  it('changes the owner of a symlink itself', () => {
    const path = newFile();
    symlinkSync(path, `${path}.link`);
    fchownat(AT_FDCWD, `${path}.link`, 21, 22);
    expect(output('stat', '-c', '%u %g', `${path}.link`)).toBe('21 22');
    expect(output('stat', '-c', '%u %g', path)).toBe('0 0');
  });

  it('reads device numbers as stat(1) does', () => {
    const path = `${tempDir()}/disk`;
    mknodat(AT_FDCWD, path, S_IFBLK | 0o600, makedev(259, 70_000));
    const { rdev } = fstatat(AT_FDCWD, path);
    expect([major(rdev), minor(rdev)]).toEqual([259, 70_000]);
    expect(`${major(rdev).toString(16)} ${minor(rdev).toString(16)}`).toBe(
      output('stat', '-c', '%t %T', path),
    );
  });

  it('ignores the umask in fchmodat', () => {
    const dir = `${tempDir()}/dir`;
    mkdirSync(dir, { mode: 0o700 });
    fchmodat(AT_FDCWD, dir, 0o1777);
    expect(output('stat', '-c', '%a', dir)).toBe('1777');
  });
});
