import { openSync } from 'node:fs';
import { wrapSystemError } from '@sediment/core';
import { AT_FDCWD, close, O_CLOEXEC, O_DIRECTORY, OPEN_TREE_CLONE, openTree } from '@sediment/posix';
import type { OpenedTree } from '../openedTree.ts';
import { mountDetached } from './detachedMount.ts';
import { isOverlayMounted } from './mountedPath.ts';
import { partMountOptions } from './mountWords.ts';

export interface OpenLayerTreeRequest {
  readonly id: string;
  /** Where the layer is mounted if it is. */
  readonly merged: string;
  /** Its own directories and those of the layers below, nearest first. */
  readonly directories: readonly string[];
  /** Stands in for layers below. */
  readonly empty: string;
  /** As for every mount of the driver. */
  readonly options: readonly string[];
}

/**
 * Shows a layer for reading: through the mount that is there already, since the kernel does not like a
 * directory that is written to in a second overlay, else by a detached mount.
 */
export function openLayerTree(request: OpenLayerTreeRequest): OpenedTree {
  const { id, merged, directories, empty } = request;
  try {
    const mounted = isOverlayMounted(merged)
      ? openTree(AT_FDCWD, merged, OPEN_TREE_CLONE)
      : mountDetached({
          // The kernel makes no overlay of one directory.
          directories: directories.length === 1 ? [...directories, empty] : directories,
          options: partMountOptions(request.options).rest,
        });
    return readableTree(mounted);
  } catch (error) {
    throw wrapSystemError(error, `mounting layer "${id}" to look at it`, 'MOUNT_FAILED', {
      object: id,
      path: merged,
      hint: 'the kernel log (dmesg) may say more',
    });
  }
}

/** A descriptor of a mount names it only; its directory has to be opened. */
function readableTree(mounted: number): OpenedTree {
  try {
    const fd = openSync(`/proc/self/fd/${mounted}`, O_DIRECTORY | O_CLOEXEC);
    return {
      fd,
      close: () => {
        close(fd);
        close(mounted);
      },
    };
  } catch (error) {
    close(mounted);
    throw error;
  }
}
