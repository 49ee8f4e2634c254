import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode } from '@sediment/core';
import {
  AT_FDCWD,
  close,
  MNT_DETACH,
  MOUNT_ATTR_IDMAP,
  mountSetattr,
  moveMount,
  OPEN_TREE_CLONE,
  openTree,
  UMOUNT_NOFOLLOW,
  umount2,
} from '@sediment/posix';
import type { IdMapLists } from '../../idmaps/idMappings.ts';
import { withUserNamespace } from '../../idmaps/withUserNamespace.ts';
import { type LowerDirectory, lowerPath } from './lowerDirectories.ts';

const PRIVATE_MODE = 0o700;

/**
 * Runs `fn` with the lower directories as they look under other ids: each home that holds one is bound to
 * `<directory>/0`, `1` … with the kernel's id-mapped mounts (mount_setattr(2)). What `fn` mounts keeps them;
 * the mounts themselves are gone afterwards.
 */
export function withMappedLowers(
  lowers: readonly LowerDirectory[],
  { idMaps, directory }: { readonly idMaps: IdMapLists; readonly directory: string },
  fn: (paths: readonly string[]) => void,
): void {
  const homes = [...new Set(lowers.map(({ home }) => home))];
  const targets = homes.map((_, i) => join(directory, String(i)));
  for (const path of targets) mkdirSync(path, { recursive: true, mode: PRIVATE_MODE });
  try {
    withUserNamespace(idMaps, (userNsFd) => {
      for (const [i, home] of homes.entries()) mountMapped(home, targets[i] as string, userNsFd);
    });
    fn(lowers.map((lower) => lowerPath({ ...lower, home: targets[homes.indexOf(lower.home)] as string })));
  } finally {
    detachMapped(directory, targets);
  }
}

/** Binds a directory to another one, with the ids of a user namespace. What is mounted below it stays out. */
export function mountMapped(source: string, target: string, userNsFd: number): void {
  const tree = openTree(AT_FDCWD, source, OPEN_TREE_CLONE);
  try {
    mountSetattr(tree, { set: MOUNT_ATTR_IDMAP, userNsFd });
    moveMount({ fromFd: tree, toPath: target });
  } finally {
    close(tree);
  }
}

/** Takes away mounts of homes, and their mount points. Missing ones are fine. */
export function detachMapped(directory: string, targets: readonly string[]): void {
  for (const path of targets) {
    ignoring(['EINVAL', 'ENOENT'], () => umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW));
    ignoring(['ENOENT', 'EBUSY'], () => rmdirSync(path));
  }
  ignoring(['ENOENT', 'ENOTEMPTY', 'EBUSY'], () => rmdirSync(directory));
}

function ignoring(codes: readonly string[], call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!codes.includes(errnoCode(error) ?? '')) throw error;
  }
}
