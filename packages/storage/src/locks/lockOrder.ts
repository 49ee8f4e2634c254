import { AsyncLocalStorage } from 'node:async_hooks';
import { StorageError } from '@sediment/core';
import { LOCK_RANKS, type LockFile } from './lockFile.ts';

/** A lock that the current chain of calls holds. */
interface Holding {
  readonly lock: LockFile;
  /** False once the lock is released: work that outlives its scope is not judged by it any more. */
  held: boolean;
}

const chain = new AsyncLocalStorage<readonly Holding[]>();

/** How many locks this process holds. */
let held = 0;

/**
 * Checks that `lock` may be taken by the current chain of calls.
 *
 * @throws {StorageError} `LOCK_ORDER`: a defect of the program, reported before it can deadlock
 */
export function assertLockOrder(lock: LockFile): void {
  for (const { lock: holder, held } of chain.getStore() ?? []) {
    if (!held) continue;
    const reason = conflict(holder, lock);
    if (reason !== undefined) throw outOfOrder(lock, holder, reason);
  }
}

/** Runs `fn` with `lock` counted as held by its chain of calls, until its promise is settled. */
export async function runHolding<T>(lock: LockFile, fn: () => Promise<T> | T): Promise<T> {
  const holding: Holding = { lock, held: true };
  held += 1;
  try {
    return await chain.run([...(chain.getStore() ?? []), holding], async () => await fn());
  } finally {
    holding.held = false;
    held -= 1;
    // Nothing that any chain remembers matters any more, and node follows each promise of the program for it until then.
    if (held === 0) chain.disable();
  }
}

function conflict(holder: LockFile, wanted: LockFile): string | undefined {
  if (holder.path === wanted.path) return 'the same call chain holds it already';
  const order = LOCK_RANKS.indexOf(wanted.rank) - LOCK_RANKS.indexOf(holder.rank);
  if (order < 0) return `${wanted.rank} locks are taken before ${holder.rank} locks`;
  if (order === 0 && holder.readOnly && !wanted.readOnly) {
    return "the store's own locks are taken before those of additional stores";
  }
  return undefined;
}

function outOfOrder(wanted: LockFile, holder: LockFile, reason: string): StorageError {
  const message = `lock "${wanted.path}" cannot be taken while "${holder.path}" is held: ${reason}`;
  return new StorageError('LOCK_ORDER', message, {
    path: wanted.path,
    object: holder.path,
    hint: 'this is a defect of the program: release the lock first, or take both in order',
  });
}
