import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  AT_FDCWD,
  capabilities,
  close,
  fsconfig,
  fsmount,
  fsopen,
  knownFileSystems,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_NODEV,
  MS_RDONLY,
  MS_REMOUNT,
  maxMountDataBytes,
  mount,
  mountSetattr,
  moveMount,
  OPEN_TREE_CLONE,
  openTree,
  PosixError,
  readFsLog,
  readMountInfo,
  umount2,
} from '../src/index.ts';
import { output } from './support/run.ts';
import { isRoot, tempDir } from './support/tempDir.ts';

const hasOverlay = isRoot && knownFileSystems().includes('overlay');

/** Unmounts `target` after the test, whatever is left there. */
function unmountLater(target: string): void {
  onTestFinished(() => {
    while (readMountInfo().some(({ mountPoint }) => mountPoint === target)) umount2(target, MNT_DETACH);
  });
}

function newMountPoint(): string {
  const target = `${tempDir()}/mnt`;
  mkdirSync(target);
  unmountLater(target);
  return target;
}

function findmnt(target: string, column: string): string {
  return output('findmnt', '--noheadings', '--first-only', '-o', column, '--mountpoint', target).trim();
}

describe.skipIf(!isRoot)('mount and umount2 (need root)', () => {
  it('mounts with flags and data', () => {
    const target = newMountPoint();
    mount({ source: 'none', target, fstype: 'tmpfs', flags: MS_NODEV, data: 'size=64k,mode=700' });
    expect(findmnt(target, 'FSTYPE')).toBe('tmpfs');
    expect(findmnt(target, 'OPTIONS')).toContain('nodev');
    expect(findmnt(target, 'FS-OPTIONS')).toContain('size=64k');
    umount2(target);
    expect(readMountInfo().some(({ mountPoint }) => mountPoint === target)).toBe(false);
  });

  it('binds a directory and makes it read-only', () => {
    const target = newMountPoint();
    const source = tempDir();
    mount({ source, target, flags: MS_BIND });
    mount({ source: 'none', target, flags: MS_BIND | MS_REMOUNT | MS_RDONLY });
    expect(() => writeFileSync(`${target}/x`, '')).toThrow('EROFS');
    writeFileSync(`${source}/y`, '');
    expect(existsSync(`${target}/y`)).toBe(true);
  });

  it('tells what could not be mounted where', () => {
    const target = newMountPoint();
    expect(() => mount({ source: 'a', target, fstype: 'nosuchfs' })).toThrow(
      `ENODEV: no such device, mount 'a' -> '${target}'`,
    );
    expect(() => umount2(target)).toThrow('EINVAL');
  });

  it('refuses data that the kernel would cut off', () => {
    const data = 'x'.repeat(maxMountDataBytes() + 1);
    expect(() => mount({ source: 'none', target: '/nowhere', fstype: 'tmpfs', data })).toThrow(RangeError);
  });
});

describe.skipIf(!hasOverlay || !capabilities().newMountApi)('fsopen (needs root, overlay, Linux 6.8)', () => {
  it('mounts an overlay with more lower directories than one page of options holds', () => {
    const target = newMountPoint();
    const base = tempDir();
    const fd = fsopen('overlay');
    for (let index = 0; index < 200; index += 1) {
      const lower = `${base}/a-rather-long-name-of-a-lower-directory-${index}`;
      mkdirSync(lower);
      writeFileSync(`${lower}/file-${index}`, `${index}`);
      fsconfig(fd, { kind: 'string', key: 'lowerdir+', value: lower });
    }
    fsconfig(fd, { kind: 'flag', key: 'ro' });
    fsconfig(fd, { kind: 'create' });
    const mounted = fsmount(fd, MOUNT_ATTR_RDONLY);
    moveMount({ fromFd: mounted, toPath: target });
    close(mounted);
    close(fd);
    expect(findmnt(target, 'FSTYPE')).toBe('overlay');
    expect(readFileSync(`${target}/file-0`, 'utf8') + readFileSync(`${target}/file-199`, 'utf8')).toBe(
      '0199',
    );
    umount2(target);
  });

  it('passes on what the kernel says about a wrong option', () => {
    const fd = fsopen('overlay');
    expect(() => fsconfig(fd, { kind: 'string', key: 'bogus', value: '1' })).toThrow(PosixError);
    expect(readFsLog(fd)).toEqual(["e overlay: Unknown parameter 'bogus'"]);
    expect(readFsLog(fd)).toEqual([]);
    close(fd);
  });

  it('copies a mount and changes its attributes before it is attached', () => {
    const target = newMountPoint();
    const source = tempDir();
    writeFileSync(`${source}/file`, 'kept');
    const tree = openTree(AT_FDCWD, source, OPEN_TREE_CLONE);
    mountSetattr(tree, { set: MOUNT_ATTR_RDONLY });
    moveMount({ fromFd: tree, toPath: target });
    close(tree);
    expect(readFileSync(`${target}/file`, 'utf8')).toBe('kept');
    expect(() => writeFileSync(`${target}/file`, 'changed')).toThrow('EROFS');
  });
});
