import { lstatSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoCode } from '@sediment/core';

const OVERLAYFS_MAGIC = 0x794c7630;

/** Whether an overlay is mounted on `path`, as the kernel sees it now. */
export function isOverlayMounted(path: string): boolean {
  try {
    // An overlay on the parent directory has the same type, but then both are one device.
    return statfsSync(path).type === OVERLAYFS_MAGIC && lstatSync(path).dev !== lstatSync(dirname(path)).dev;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}
