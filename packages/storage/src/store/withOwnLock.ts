import { unlinkSync } from 'node:fs';
import { errnoCode, type WarningHandler, wrapSystemError } from '@sediment/core';
import type { LockRank } from '../locks/index.ts';
import type { StoreContext } from './storeContext.ts';

export interface OwnLockRequest {
  /** In the run root, in a directory of Sediment's own. */
  readonly path: string;
  readonly rank: LockRank;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Keeps others from doing the same work at the same time. The lock file is removed by its holder; a waiter that
 * then holds the removed file can at worst do the work twice.
 */
export async function withOwnLock<T>(
  { locks, onWarning }: StoreContext,
  { path, rank, signal }: OwnLockRequest,
  fn: () => Promise<T>,
): Promise<T> {
  return await locks.lock(path, { rank }).withWrite(
    async () => {
      try {
        return await fn();
      } finally {
        removeLockFile(path, onWarning);
      }
    },
    signal === undefined ? {} : { signal },
  );
}

/** A lock file that stays does no harm, and what was done under it counts more. */
function removeLockFile(path: string, onWarning: WarningHandler): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return;
    const { message } = wrapSystemError(error, `removing ${path}`);
    onWarning({ code: 'DEBRIS_LEFT', message, path });
  }
}
