import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoCode } from '@sediment/core';
import { MNT_DETACH, readMountInfo, UMOUNT_NOFOLLOW, umount2 } from '@sediment/posix';

/** Detaches all that is mounted on `path` or below it, the latest mount first. */
export function unmountBelow(path: string): void {
  const real = join(realpathSync(dirname(path)), basename(path));
  for (const { mountPoint } of readMountInfo().reverse()) {
    if (mountPoint !== real && !mountPoint.startsWith(`${real}/`)) continue;
    try {
      umount2(mountPoint, MNT_DETACH | UMOUNT_NOFOLLOW);
    } catch (error) {
      // EINVAL: it went with a mount that it was stacked on. ENOENT: it went with its directory.
      if (errnoCode(error) !== 'EINVAL' && errnoCode(error) !== 'ENOENT') throw error;
    }
  }
}
