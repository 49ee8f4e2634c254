import { StorageError } from '@sediment/core';
import type { DriverName } from './driver.ts';

/** In the words of containers/storage; quotas need xfs, and that the host keeps count. */
const REFUSALS: Readonly<Record<DriverName, string>> = {
  overlay: "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
  vfs: '--storage-opt is not supported for vfs',
};

/**
 * Refuses storage options of a container, such as `size` and `inodes`: Sediment sets no quotas.
 *
 * @throws {StorageError} `NOT_SUPPORTED`
 */
export function refuseStorageOptions(
  driver: DriverName,
  options: Readonly<Record<string, string>> = {},
  readWrite = true,
): void {
  const [first] = Object.keys(options);
  if (first === undefined) return;
  const text =
    driver === 'overlay' && !readWrite
      ? '--storage-opt size is only supported for ReadWrite Layers'
      : REFUSALS[driver];
  throw new StorageError('NOT_SUPPORTED', text, {
    object: first,
    hint: 'leave the option out: Sediment sets no quotas',
  });
}
