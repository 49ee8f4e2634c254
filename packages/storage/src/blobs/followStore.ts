import { existsSync } from 'node:fs';
import { isStorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
import type { StoreContext } from '../store/storeContext.ts';

/**
 * To be called when images were deleted, without any lock: drops what was kept for them. In a store without kept blobs
 * that costs one look at the disk. The images are gone in any case, so that a failure is a warning; what stays is
 * collected with the garbage.
 */
export async function dropKeptBlobs(context: StoreContext, imageIds: readonly string[]): Promise<void> {
  if (imageIds.length === 0 || !existsSync(context.paths.keptLayout)) return;
  await warnInstead(context.onWarning, 'the kept blobs of a deleted image stay', async () => {
    await (await context.keptBlobs()).dropImages(imageIds);
  });
}

/** To be called when names of images have changed, without any lock: the layout gets the same names. */
export async function followNames(context: StoreContext): Promise<void> {
  if (!existsSync(context.paths.keptLayout)) return;
  await warnInstead(context.onWarning, 'the names of kept images stay as they were', async () => {
    await (await context.keptBlobs()).followNames();
  });
}

/** Runs `fn`; what it throws becomes a warning. */
export async function warnInstead(
  onWarning: WarningHandler,
  what: string,
  fn: () => Promise<void>,
): Promise<void> {
  try {
    await fn();
  } catch (error) {
    const { message } = isStorageError(error) ? error : wrapSystemError(error, what);
    onWarning({ code: 'KEPT_BLOBS_STALE', message: `${what}: ${message}` });
  }
}
