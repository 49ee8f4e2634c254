import { cleanUpAfter, removeUnfinished } from './cleanUpAfter.ts';
import { withCleanupError } from './cleanupError.ts';
import { SPLIT_MODE, SplitMemory } from './split/splitMemory.ts';
import type { UnpackJob, UnpackResult } from './unpackJob.ts';
import type { ThreadRunOptions, UnpackThread } from './unpackThread.ts';

export interface SplitThreads {
  /** Reads, decompresses and hashes, and writes files while it has time. */
  readonly producer: UnpackThread;
  /** Parses the tar and makes the tree. */
  readonly consumer: UnpackThread;
}

/** Runs one job in two threads. Settles when neither works on it any more. */
export async function runSplit(
  { producer, consumer }: SplitThreads,
  job: UnpackJob,
  options: ThreadRunOptions,
): Promise<UnpackResult> {
  const memory = new SplitMemory();
  const consuming = consumer.run(job, { split: { memory: memory.buffer, half: 'consume' } });
  const producing = producer.produce(job, { ...options, split: { memory: memory.buffer, half: 'produce' } });
  // Neither waits for one that is gone.
  consuming.catch(() => memory.setMode(SPLIT_MODE.closed));
  producing.catch((error: unknown) => {
    consumer.stop(error);
    memory.setMode(SPLIT_MODE.closed);
  });
  const [consumed, produced] = await Promise.allSettled([consuming, producing]);
  if (consumed.status === 'fulfilled' && produced.status === 'fulfilled') return consumed.value;
  // The producer alone may fail when its files do not get to the disk.
  const { reason } = (consumed.status === 'rejected' ? consumed : produced) as PromiseRejectedResult;
  try {
    if (producer.alive && consumer.alive) removeUnfinished(job);
    else cleanUpAfter(job);
  } catch (error) {
    throw withCleanupError(reason, error);
  }
  throw reason;
}
