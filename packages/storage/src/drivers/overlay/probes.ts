import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, isStorageError } from '@sediment/core';
import {
  AT_FDCWD,
  lgetxattr,
  lsetxattr,
  MNT_DETACH,
  mknodat,
  mount,
  S_IFCHR,
  umount2,
} from '@sediment/posix';
import { withUserNamespace } from '../../idmaps/withUserNamespace.ts';
import { removeTree } from '../../staging/removeTree.ts';
import type { FeatureResult } from './featureCache.ts';
import { mountMapped } from './mappedLowers.ts';
import { overlayMountRequest } from './mountRequest.ts';
import { removeOldProbes } from './oldProbes.ts';

/** What probes need to know of the place they probe. */
export interface ProbePlace {
  readonly home: string;
  /** In a user namespace: overlay keeps its marks in `user.` instead of `trusted.` attributes. */
  readonly userXattr: boolean;
  /** Options that mounts will have. */
  readonly mountOptions: readonly string[];
}

interface ProbeMount {
  readonly lowers: readonly string[];
  readonly options: readonly string[];
}

/** Troubles of the moment, which say nothing about overlay. */
const PASSING = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'EINTR']);
const YES: FeatureResult = { supported: true, text: '' };

/**
 * Whether overlay works here at all: several lower directories, whiteouts, deletion of what lies in a
 * lower. A deleted name that is still listed means that the file system does not say in directory
 * listings what kind each entry is (d_type), which overlay needs.
 *
 * @throws the system error where the place itself cannot be used
 */
export function probeOverlay(place: ProbePlace): FeatureResult {
  return inProbeDirectory(place, 'compat', (dir) => {
    for (const name of ['lower1', 'lower2', 'lower2/subdir']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'lower2/subdir/file'), '');
    try {
      mknodat(AT_FDCWD, join(dir, 'upper/whiteout'), S_IFCHR | 0o600, 0);
    } catch (error) {
      return no('whiteouts (character devices 0:0) cannot be made', error);
    }
    const lowers = ['lower1', 'lower2'];
    try {
      return mounted(dir, { ...place, mountOptions: [] }, { lowers, options: [] }, (merged) => {
        rmSync(join(merged, 'subdir'), { recursive: true });
        if (readdirSync(merged).length === 0) return YES;
        return no('deleted files stay visible: the file system does not support d_type (xfs needs ftype=1)');
      });
    } catch (error) {
      if (PASSING.has(errnoCode(error) ?? '')) throw error;
      return no('the kernel refuses a mount', error);
    }
  });
}

/**
 * Whether the upper directory of a mount is the exact difference: an opaque mark is not copied up, and
 * directories of a lower are not renamed by reference (`redirect_dir`).
 */
export function probeNativeDiff(place: ProbePlace): FeatureResult {
  return inProbeDirectory(place, 'opaque-bug-check', (dir) => {
    for (const name of ['l1', 'l1/d', 'l1/d1', 'l2', 'l2/d']) mkdirSync(join(dir, name));
    lsetxattr(join(dir, 'l2/d'), attribute(place, 'opaque'), Buffer.from('y'));
    const upper = join(dir, 'upper');
    try {
      return mounted(dir, place, { lowers: ['l2', 'l1'], options: place.mountOptions }, (merged) => {
        writeFileSync(join(merged, 'd/f'), '');
        if (lgetxattr(join(upper, 'd'), attribute(place, 'opaque'))?.toString() === 'y') {
          return noNativeDiff('the kernel copies opaque marks up');
        }
        try {
          renameSync(join(merged, 'd1'), join(merged, 'd2'));
        } catch (error) {
          if (errnoCode(error) === 'EXDEV') return YES;
          throw error;
        }
        const redirect = lgetxattr(join(upper, 'd2'), attribute(place, 'redirect'));
        return redirect === undefined ? YES : noNativeDiff('the kernel has redirect_dir enabled');
      });
    } catch (error) {
      const result = noNativeDiff(error instanceof Error ? error.message : String(error));
      return { ...result, passing: PASSING.has(errnoCode(error) ?? '') };
    }
  });
}

/** Whether a change of attributes alone leaves the content in the lower directory. */
export function probeMetacopy(place: ProbePlace): FeatureResult {
  return inProbeDirectory(place, 'metacopy-check', (dir) => {
    mkdirSync(join(dir, 'l1'));
    writeFileSync(join(dir, 'l1/f'), 'x', { mode: 0o700 });
    try {
      return mounted(dir, place, { lowers: ['l1'], options: place.mountOptions }, (merged) => {
        chmodSync(join(merged, 'f'), 0o600);
        const mark = lgetxattr(join(dir, 'upper/f'), attribute(place, 'metacopy'));
        return { supported: mark !== undefined, text: '' };
      });
    } catch (error) {
      if (errnoCode(error) === 'EINVAL' || errnoCode(error) === 'EOPNOTSUPP') return no('', undefined);
      throw error;
    }
  });
}

/** Whether mounts may skip syncs. */
export function probeVolatile(place: ProbePlace): FeatureResult {
  return inProbeDirectory(place, 'volatile-check', (dir) => {
    mkdirSync(join(dir, 'lower'));
    try {
      return mounted(dir, place, { lowers: ['lower'], options: ['volatile'] }, () => YES);
    } catch (error) {
      if (errnoCode(error) === 'EINVAL') return no('', undefined);
      throw error;
    }
  });
}

/** Whether a lower directory may be a mount with other ids. */
export function probeShifting(place: ProbePlace): FeatureResult {
  return inProbeDirectory(place, 'idmap-check', (dir) => {
    for (const name of ['lower', 'mapped']) mkdirSync(join(dir, name));
    const mapped = join(dir, 'mapped');
    const onlyRoot = [{ containerId: 0, hostId: 0, size: 1 }];
    try {
      withUserNamespace({ uidMap: onlyRoot, gidMap: onlyRoot }, (fd) =>
        mountMapped(join(dir, 'lower'), mapped, fd),
      );
    } catch (error) {
      // A program that is missing here says nothing about the kernel.
      if (isStorageError(error, 'NEEDS_USERNS')) return { ...no('', undefined), passing: true };
      return no('', undefined);
    }
    try {
      return mounted(dir, place, { lowers: ['mapped'], options: [] }, () => YES);
    } catch (error) {
      if (PASSING.has(errnoCode(error) ?? '')) throw error;
      return no('', undefined);
    } finally {
      umount2(mapped, MNT_DETACH);
    }
  });
}

function inProbeDirectory<T>(place: ProbePlace, prefix: string, fn: (dir: string) => T): T {
  removeOldProbes(place.home);
  const dir = mkdtempSync(join(place.home, prefix));
  try {
    for (const name of ['upper', 'work', 'merged']) mkdirSync(join(dir, name));
    return fn(dir);
  } finally {
    removeTree(dir);
  }
}

function mounted<T>(dir: string, place: ProbePlace, probe: ProbeMount, fn: (merged: string) => T): T {
  const target = join(dir, 'merged');
  const { flags, data } = overlayMountRequest({
    lowers: probe.lowers.map((name) => join(dir, name)),
    upper: { diff: join(dir, 'upper'), work: join(dir, 'work') },
    options: [...probe.options, ...(place.userXattr ? ['userxattr'] : [])],
  });
  mount({ source: 'overlay', target, fstype: 'overlay', flags, data });
  try {
    return fn(target);
  } finally {
    umount2(target, MNT_DETACH);
  }
}

function attribute({ userXattr }: ProbePlace, name: string): string {
  return `${userXattr ? 'user' : 'trusted'}.overlay.${name}`;
}

function no(reason: string, error?: unknown): FeatureResult {
  const cause = error instanceof Error ? `: ${error.message}` : '';
  return { supported: false, text: reason + cause };
}

function noNativeDiff(reason: string): FeatureResult {
  return no(
    `Not using native diff for overlay, this may cause degraded performance for building images: ${reason}`,
  );
}
