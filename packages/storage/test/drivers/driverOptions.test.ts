import { MS_NOATIME, MS_NODEV, MS_RDONLY } from '@sediment/posix';
import { describe, expect, it } from 'vitest';
import { parseDriverOptions } from '../../src/drivers/driverOptions.ts';
import { chooseMountOptions, overlayMountRequest } from '../../src/drivers/overlay/mountRequest.ts';
import { partMountOptions } from '../../src/drivers/overlay/mountWords.ts';
import { parseOverlayOptions } from '../../src/drivers/overlay/overlayOptions.ts';
import { parseVfsOptions } from '../../src/drivers/vfs/vfsOptions.ts';

const overlay = (...options: string[]) => parseOverlayOptions(parseDriverOptions(options, 'overlay'));
const vfs = (...options: string[]) => parseVfsOptions(parseDriverOptions(options, 'vfs'));
const failing = (code: string, message = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(message), hint: expect.any(String) });

describe('driver options', () => {
  it('come with and without the name of the driver, in any case; the last one wins', () => {
    expect(overlay()).toEqual({
      mountOptions: [],
      mountOptionText: '',
      mountProgram: '',
      skipMountHome: false,
      ignoreChownErrors: false,
    });
    expect(
      overlay(
        'mountopt=nodev',
        '.Skip_Mount_Home = true ',
        'OVERLAY.ignore_chown_errors=1',
        'overlay2.sync=filesystem',
        'overlay.mountopt=nodev,,metacopy=on',
        'overlay.override_kernel_check=1',
        'overlay.mount_program=/usr/bin/fuse-overlayfs',
      ),
    ).toEqual({
      mountOptions: ['nodev', 'metacopy=on'],
      mountOptionText: 'nodev,,metacopy=on',
      mountProgram: '/usr/bin/fuse-overlayfs',
      skipMountHome: true,
      ignoreChownErrors: true,
    });
  });

  it('for other drivers are skipped, for no driver are errors', () => {
    expect(overlay('zfs.fsname=x', 'btrfs.min_space=1', 'vfs.bogus=1').mountOptions).toEqual([]);
    expect(() => overlay('bogus.key=1')).toThrow(
      failing('DRIVER_OPTION_UNKNOWN', 'unknown option "bogus.key" ("bogus.key=1")'),
    );
    expect(() => overlay('overlay.k=v')).toThrow(
      failing('DRIVER_OPTION_UNKNOWN', 'unknown option "k" ("overlay.k=v")'),
    );
    expect(() => overlay('constructor=v')).toThrow(failing('DRIVER_OPTION_UNKNOWN'));
    expect(() => overlay('mountopt')).toThrow(failing('CONFIG_INVALID', 'has no "="'));
  });

  it('of wrong values are errors', () => {
    for (const option of ['skip_mount_home=yes', 'ignore_chown_errors=', 'sync=always', 'use_composefs=2']) {
      expect(() => overlay(option), option).toThrow(failing('CONFIG_INVALID', option));
    }
    expect(() => vfs('sync=1')).toThrow(failing('CONFIG_INVALID'));
  });

  it.each(['force_mask=0755', 'size=10G', 'inodes=5', 'use_composefs=true', 'additionallayerstore=/x'])(
    '%s is known and not supported; asking for nothing is fine',
    (option) => {
      const key = option.slice(0, option.indexOf('='));
      expect(() => overlay(option)).toThrow(failing('NOT_SUPPORTED', `"${key}"`));
      overlay(`overlay.${key}=`);
    },
  );

  it('leave additional image stores to the store', () => {
    const names = ['imagestore=/x', 'overlay.imagestore=/x,/y', 'additionalimagestore=/x'];
    expect(overlay(...names)).toEqual(overlay());
  });

  it('that switch something off which is not supported are fine', () => {
    overlay('size=0', 'inodes=0', 'use_composefs=false');
  });

  it('of vfs are few', () => {
    expect(vfs()).toEqual({ ignoreChownErrors: false });
    expect(vfs('vfs.ignore_chown_errors=true', 'vfs.sync=filesystem', 'imagestore=/x')).toEqual({
      ignoreChownErrors: true,
    });
    for (const option of ['mountopt=nodev', 'vfs.mountopt=nodev']) {
      expect(() => vfs(option)).toThrow(
        failing('NOT_SUPPORTED', 'vfs driver does not support mount options'),
      );
    }
    expect(() => vfs('skip_mount_home=true')).toThrow(failing('DRIVER_OPTION_UNKNOWN'));
  });
});

describe('mount options', () => {
  it('are parted into flags and the rest', () => {
    expect(partMountOptions(['nodev', 'metacopy=on', 'ro', 'noatime', 'x'])).toEqual({
      flags: MS_NODEV | MS_RDONLY | MS_NOATIME,
      rest: ['metacopy=on', 'x'],
    });
    expect(partMountOptions(['ro', 'rw', 'nodev', 'dev', 'defaults', 'constructor'])).toEqual({
      flags: 0,
      rest: ['constructor'],
    });
  });

  it('of a mount replace the configured ones, all but metacopy', () => {
    const choose = (given: string[], configured: string[], metacopyWorks = true) =>
      chooseMountOptions({ given, configured, metacopyWorks });
    expect(choose([], ['nodev', 'x'])).toEqual(['nodev', 'x']);
    expect(choose(['nosuid'], ['nodev'])).toEqual(['nosuid']);
    expect(choose(['nosuid'], ['nodev', 'metacopy=on'])).toEqual(['nosuid', 'metacopy=on']);
    expect(choose(['metacopy=on'], ['metacopy=on'])).toEqual(['metacopy=on']);
    expect(choose([], ['metacopy=on', 'nodev'], false)).toEqual(['nodev']);
    expect(choose(['metacopy=on', 'nosuid'], ['metacopy=on'], false)).toEqual(['nosuid']);
  });

  it('name the directories first and the label last', () => {
    expect(
      overlayMountRequest({
        lowers: ['/a:b', '/c,d'],
        upper: { diff: '/u:v', work: '/w,x\\y' },
        options: ['nodev', 'volatile'],
        mountLabel: 'system_u:object_r:container_file_t:s0:c1,c2',
      }),
    ).toEqual({
      flags: MS_NODEV,
      data: 'lowerdir=/a\\:b:/c\\,d,upperdir=/u:v,workdir=/w\\,x\\\\y,volatile,context="system_u:object_r:container_file_t:s0:c1,c2"',
    });
    expect(overlayMountRequest({ lowers: ['/a', '/b'], options: ['ro'], mountLabel: '' })).toEqual({
      flags: MS_RDONLY,
      data: 'lowerdir=/a:/b',
    });
  });
});
