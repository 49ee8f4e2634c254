import { hashInThread } from '@sediment/codec';
import { wrapSystemError } from '@sediment/core';
import { withCleanupError } from '../cleanupError.ts';
import { isAboutContent } from '../contentError.ts';
import { DiffReader, type DiffReaderHooks } from '../diffReader.ts';
import type { DiffSource } from '../diffSource.ts';
import { registerNativeCodecs } from '../nativeCodecs.ts';
import type { UnpackJob } from '../unpackJob.ts';
import { type SentError, sendError } from '../workerProtocol.ts';
import { SlotWriter, type SplitEnd } from './slotWriter.ts';
import { SPLIT_MODE, type SplitMemory } from './splitMemory.ts';

/**
 * The reading half of a job: everything up to the uncompressed, verified bytes, for the thread that runs
 * `runUnpackJob` with the same memory. That one gets all errors; this function throws only when it is stopped. The
 * copy that is to be kept is complete when the consumer is told of the end; a failure of the consumer leaves it there.
 *
 * @param hooks `checkpoint` is also called while this thread waits
 */
export async function produceDiff(
  job: UnpackJob,
  memory: SplitMemory,
  hooks: DiffReaderHooks,
): Promise<void> {
  registerNativeCodecs();
  const slots = new SlotWriter(memory, hooks.checkpoint);
  slots.end(await readInto(slots, job, { memory, hooks }));
  slots.help();
}

/** To start a thread takes as long as hashing so many bytes. */
const HASHED_ELSEWHERE_BYTES = 8 * 1024 * 1024;

/**
 * Two digests and inflating take longer than all that the consumer does with files that are not small: a thread more
 * lets the kernel balance the three over two cores. Where the consumer begins by copying a tree there is no hurry, and each
 * layer would start such a thread.
 */
function hashingOf({ blob, tree }: UnpackJob): Pick<DiffReaderHooks, 'hashElsewhere'> {
  const isLarge = blob !== undefined && blob.length >= HASHED_ELSEWHERE_BYTES;
  return isLarge && tree?.base === undefined ? { hashElsewhere: hashInThread } : {};
}

interface Production {
  readonly memory: SplitMemory;
  readonly hooks: DiffReaderHooks;
}

async function readInto(slots: SlotWriter, job: UnpackJob, { memory, hooks }: Production): Promise<SplitEnd> {
  let source: DiffSource;
  try {
    source = new DiffReader(job, { ...hooks, ...hashingOf(job), output: () => slots.offer() });
  } catch (error) {
    return { type: 'unreadable', error: sendError(wrapSystemError(error, job.what)) };
  }
  let isRead = false;
  try {
    for await (const chunk of source.chunks()) if (!slots.write(chunk)) break;
    if (memory.mode !== SPLIT_MODE.content) return await endEarly(source, memory);
    isRead = true;
    const facts = await source.facts();
    source.finish();
    return { type: 'facts', facts };
  } catch (error) {
    const reason = sendError(discarded(source, wrapSystemError(error, job.what)));
    const mismatch = isRead || isAboutContent(error) ? await mismatchOf(source) : {};
    return { type: isRead ? 'refused' : 'unreadable', error: reason, ...mismatch };
  } finally {
    source.close();
  }
}

async function endEarly(source: DiffSource, memory: SplitMemory): Promise<SplitEnd> {
  source.discard();
  if (memory.mode === SPLIT_MODE.closed) return { type: 'digestOnly' };
  return { type: 'digestOnly', ...(await mismatchOf(source)) };
}

/** What reading the rest leads to, be it another error. */
async function mismatchOf(source: DiffSource): Promise<{ mismatch?: SentError }> {
  try {
    const mismatch = await source.mismatch();
    return mismatch === undefined ? {} : { mismatch: sendError(mismatch) };
  } catch (error) {
    return { mismatch: sendError(error) };
  }
}

function discarded(source: DiffSource, error: unknown): unknown {
  try {
    source.discard();
    return error;
  } catch (second) {
    return withCleanupError(error, second);
  }
}
