/** Entry of the worker threads of {@link UnpackPool}: runs the jobs that it is sent, one after the other. */
import { parentPort } from 'node:worker_threads';
import { CLONE_FS, isPosixError, umask, unshare } from '@sediment/posix';
import { withFileWriteback } from './fileWriteback.ts';
import { receiveChunks } from './receiveChunks.ts';
import { runUnpackJob, stopIfAborted } from './runUnpackJob.ts';
import { produceDiff } from './split/produceDiff.ts';
import { SplitMemory } from './split/splitMemory.ts';
import { type RunMessage, sendError, type WorkerMessage } from './workerProtocol.ts';

const PROGRESS_INTERVAL_MS = 50;

let umaskIsZero: boolean | undefined;

/**
 * Gives this thread a umask of its own, 0: modes are then right from the start, and the program that
 * embeds us keeps its umask. Some sandboxes refuse; then each mode is set by another call.
 */
function ownUmask(): boolean {
  try {
    unshare(CLONE_FS);
  } catch (error) {
    if (isPosixError(error)) return false;
    throw error;
  }
  umask(0);
  return true;
}

async function run({ job, stopFlag, input, split }: RunMessage): Promise<WorkerMessage> {
  const flag = new Int32Array(stopFlag);
  let reported = 0;
  const total = job.blob?.length ?? job.expect.size;
  const onProgress = (bytesRead: number): void => {
    const now = performance.now();
    if (now - reported < PROGRESS_INTERVAL_MS && bytesRead !== total) return;
    reported = now;
    answer({ type: 'progress', bytesRead });
  };
  const isAborted = (): boolean => Atomics.load(flag, 0) !== 0;
  try {
    umaskIsZero ??= ownUmask();
    const bytes = input === undefined ? {} : { input: receiveChunks(input) };
    const memory = split && new SplitMemory(split.memory);
    const checkpoint = () => stopIfAborted(job, { isAborted });
    if (memory !== undefined && split?.half === 'produce') {
      await syncing(job, checkpoint, () => produceDiff(job, memory, { onProgress, checkpoint, ...bytes }));
      return { type: 'produced' };
    }
    const consumer = memory === undefined ? {} : { split: memory };
    const hooks = { onProgress, isAborted, umaskIsZero, ...bytes, ...consumer };
    return { type: 'done', result: await syncing(job, checkpoint, () => runUnpackJob(job, hooks)) };
  } catch (error) {
    return { type: 'failed', error: sendError(error) };
  }
}

async function syncing<T>(
  { what, sync = false }: RunMessage['job'],
  checkpoint: () => void,
  fn: () => Promise<T>,
): Promise<T> {
  return sync ? await withFileWriteback({ what, checkpoint }, fn) : await fn();
}

function answer(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', async (message: RunMessage) => answer(await run(message)));
