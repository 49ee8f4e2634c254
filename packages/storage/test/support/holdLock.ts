import { LockManager, type LockRank } from '../../src/locks/index.ts';

export interface HeldLock {
  release(): void;
  /** Settles when the lock is free again. */
  readonly held: Promise<void>;
}

/** Takes the write lock of a file and keeps it, as a program does that works for long. */
export async function holdLock(path: string, rank: LockRank): Promise<HeldLock> {
  const locks = new LockManager({ backend: 'fcntl', onWarning: () => undefined });
  return await new Promise((resolve, reject) => {
    const held: Promise<void> = locks
      .lock(path, { rank })
      .withWrite(() => new Promise<void>((release) => resolve({ release, held: held })));
    held.catch(reject);
  });
}
