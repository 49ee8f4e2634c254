import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mount, parseMountInfo, readMountInfo, umount2 } from '../src/index.ts';
import { output } from './support/run.ts';
import { isLinux, isRoot, tempDir } from './support/tempDir.ts';

describe('parseMountInfo', () => {
  it('takes a line apart', () => {
    const line = '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue\n';
    expect(parseMountInfo(line)).toEqual([
      {
        mountId: 36,
        parentId: 35,
        device: '98:0',
        root: '/mnt1',
        mountPoint: '/mnt2',
        options: 'rw,noatime',
        optional: ['master:1', 'shared:7'],
        fstype: 'ext3',
        source: '/dev/root',
        superOptions: 'rw,errors=continue',
      },
    ]);
  });

  it('decodes octal escapes and lets a directory be called -', () => {
    const [mount] = parseMountInfo('1 2 0:3 / /a\\040b\\134\\011- rw - tmpfs \\043x rw\n');
    expect(mount).toMatchObject({ mountPoint: '/a b\\\t-', source: '#x', optional: [] });
  });

  it.each(['garbage', '1 2 0:3 / /x rw tmpfs none rw', '1 2 0:3 / /x rw - tmpfs'])('refuses %j', (line) => {
    expect(() => parseMountInfo(line)).toThrow(SyntaxError);
  });
});

describe.skipIf(!isLinux)('readMountInfo (needs Linux)', () => {
  it('sees the mounts that findmnt sees', () => {
    const stable = ['proc', 'sysfs', 'devpts', 'cgroup2'];
    const columns = 'TARGET,SOURCE,FSTYPE,VFS-OPTIONS,FS-OPTIONS';
    const theirs = output('findmnt', '--raw', '--noheadings', '-t', stable.join(','), '-o', columns);
    const ours = readMountInfo()
      .filter(({ fstype }) => stable.includes(fstype))
      .map((at) => [at.mountPoint, at.source, at.fstype, at.options, at.superOptions].join(' '));
    expect(ours.sort()).toEqual(theirs.split('\n').sort());
  });

  it.skipIf(!isRoot)('finds a mount point with odd characters', () => {
    const target = `${tempDir()}/a b\\c\td\né`;
    mkdirSync(target);
    mount({ source: 'none', target, fstype: 'tmpfs' });
    try {
      expect(readMountInfo().some(({ mountPoint }) => mountPoint === target)).toBe(true);
    } finally {
      umount2(target);
    }
  });
});
