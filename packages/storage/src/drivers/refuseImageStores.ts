import { StorageError } from '@sediment/core';
import type { DriverContext } from './driver.ts';

/** @throws {StorageError} `NOT_SUPPORTED` when there are additional image stores */
export function refuseImageStores({ imageStores }: DriverContext): void {
  const [first] = imageStores;
  if (first === undefined) return;
  throw new StorageError('NOT_SUPPORTED', `the additional image store ${first} is not supported`, {
    path: first,
    hint: 'remove additionalimagestores from storage.conf, and copy the images into this store',
  });
}
