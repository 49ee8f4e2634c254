import { closeSync, openSync } from 'node:fs';
import { StorageError } from '@sediment/core';
import { maxMountDataBytes, O_DIRECTORY, O_PATH } from '@sediment/posix';
import { childProcess } from '../../lazyModules.ts';
import type { OverlayMount } from './mountOverlay.ts';
import { overlayMountData } from './mountRequest.ts';

/** Descriptors 0 to 2 of the child are its standard streams. */
const FIRST_FD = 3;

/**
 * Mounts by mount(8), which runs in a directory where the paths are short: the driver home, or, if there are
 * too many layers even for that, its own directory of open files. For kernels that only know mount(2).
 *
 * (containers/storage has a child of its own for that: `drivers/overlay/mount.go`.)
 *
 * @throws an error with what mount(8) says
 * @throws {StorageError} `MOUNT_FAILED` when the options are too long all the same
 */
export function mountInChild(request: OverlayMount): void {
  const { base, lowers, upper } = request;
  const relative = overlayMountData({
    ...request,
    lowers: lowers.map((path) => below(base, path)),
    ...(upper === undefined
      ? {}
      : { upper: { diff: below(base, upper.diff), work: below(base, upper.work) } }),
  });
  if (Buffer.byteLength(relative) <= maxMountDataBytes()) {
    runMount(request.target, { data: relative, directory: base, descriptors: [] });
    return;
  }
  const descriptors = lowers.map((path) => openSync(path, O_PATH | O_DIRECTORY));
  try {
    const names = lowers.map((_, i) => String(FIRST_FD + i));
    const data = overlayMountData({ ...request, lowers: names });
    refuseTooLong(data);
    runMount(request.target, { data, directory: '/proc/self/fd', descriptors });
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

interface MountRun {
  readonly data: string;
  /** Where relative paths begin. */
  readonly directory: string;
  /** Become 3, 4 … of the program. */
  readonly descriptors: readonly number[];
}

function runMount(target: string, { data, directory, descriptors }: MountRun): void {
  const { status, error, stderr } = childProcess().spawnSync(
    'mount',
    ['-i', '-t', 'overlay', '-o', data, 'overlay', target],
    {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe', ...descriptors],
      // Newer ones would go back to fsopen(2), which was tried.
      env: { ...process.env, LC_ALL: 'C', LIBMOUNT_FORCE_MOUNT2: 'always' },
    },
  );
  if (error === undefined && status === 0) return;
  const reason = error?.message ?? stderr.toString().trim();
  throw new Error(`mount(8) failed: ${reason}`, { cause: error });
}

function below(base: string, path: string): string {
  return path.startsWith(`${base}/`) ? path.slice(base.length + 1) : path;
}

function refuseTooLong(data: string): void {
  const bytes = Buffer.byteLength(data);
  const limit = maxMountDataBytes();
  if (bytes <= limit) return;
  throw new StorageError(
    'MOUNT_FAILED',
    `cannot mount layer, mount data ${JSON.stringify(data)} too large ${bytes} >= page size ${limit + 1}`,
    {
      expected: limit,
      actual: bytes,
      hint: 'use an image with fewer layers, a graph root with a shorter path, or a newer kernel (6.7)',
    },
  );
}
