import { AsyncResource } from 'node:async_hooks';
import { availableParallelism } from 'node:os';
import { StorageError } from '@sediment/core';
import { runSplit } from './runSplit.ts';
import type { OpenBytes, UnpackJob, UnpackResult } from './unpackJob.ts';
import { UnpackThread } from './unpackThread.ts';
import { unpackWorkerUrl } from './workerUrl.ts';

const MAX_THREADS = 4;
/**
 * A job looks often whether it shall stop, so this is for one that hangs. A thread that is terminated within a
 * native call can take the process with it: a busy host, on which a thread needs long to start, must not come
 * to that.
 */
const STOP_GRACE_MS = 10_000;
const THREADS_PER_LAYER = 2;
/** Below that, a second thread costs more than it saves. */
const SPLIT_MIN_BYTES = 1024 * 1024;

export interface UnpackPoolOptions {
  /** Most threads at a time. Default: one per core, at most 4. */
  readonly size?: number;
  /** The script of the threads. */
  readonly workerUrl?: URL;
  /** How long a job may take to notice that it shall stop, before its thread is terminated. Default 10,000. */
  readonly stopGraceMs?: number;
  /** Two threads share one layer from this size on, when no other work waits for them. Default 1 MiB. */
  readonly splitMinBytes?: number;
}

export interface UnpackRunOptions {
  /** Jobs with a higher number start earlier; equal ones in the order they came. Default 0. */
  readonly priority?: number;
  /** Told now and then how many bytes of the blob were read. If it throws, the job fails with that. */
  readonly onProgress?: (bytesRead: number) => void;
  readonly signal?: AbortSignal | undefined;
  /**
   * The bytes of the layer, for a job without a blob. Opened once, when a thread takes the job and not before: a
   * stream that waits open may hold a lock that others need to get to theirs. An error of it is what the job
   * fails with. Its signal fires when the job ends before the stream does.
   */
  readonly input?: OpenBytes;
}

interface Waiting {
  readonly job: UnpackJob;
  readonly options: UnpackRunOptions;
  /** Where the job was asked for: a stream may look there which locks are held. */
  readonly asked: AsyncResource;
  resolve(result: Promise<UnpackResult>): void;
  reject(error: unknown): void;
}

/**
 * Runs unpack jobs in worker threads, which are started when they are needed. Idle threads do not
 * keep the process alive. A thread that ends unexpectedly fails its job only.
 */
export class UnpackPool {
  readonly #size: number;
  readonly #workerUrl: URL;
  readonly #stopGraceMs: number;
  readonly #splitMinBytes: number;
  readonly #threads = new Set<UnpackThread>();
  readonly #idle: UnpackThread[] = [];
  readonly #queue: Waiting[] = [];
  readonly #running = new Map<Waiting, readonly UnpackThread[]>();
  readonly #settling = new Set<Promise<UnpackResult>>();
  #dispatching = false;
  #closed = false;

  constructor(options: UnpackPoolOptions = {}) {
    const { size = Math.min(availableParallelism(), MAX_THREADS), workerUrl = unpackWorkerUrl } = options;
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`size must be at least 1, not ${size}`);
    this.#size = size;
    this.#workerUrl = workerUrl;
    this.#stopGraceMs = options.stopGraceMs ?? STOP_GRACE_MS;
    this.#splitMinBytes = options.splitMinBytes ?? SPLIT_MIN_BYTES;
  }

  /** Starts as many threads as one layer can use, ahead of the first job. */
  prepare(): void {
    if (this.#closed) return;
    while (this.#threads.size < Math.min(this.#size, THREADS_PER_LAYER)) this.#idle.push(this.#newThread());
  }

  /**
   * Runs a job as `runUnpackJob` does, when a thread is free. When the promise settles, nothing is
   * written any more.
   *
   * @throws {StorageError} what `runUnpackJob` throws; `ABORTED` when `signal` fires (its reason is the
   *   cause) or the pool is closed meanwhile; `STORE_CLOSED` when it was closed before; `UNPACK_FAILED`
   *   when the thread ends unexpectedly
   */
  async run(job: UnpackJob, options: UnpackRunOptions = {}): Promise<UnpackResult> {
    if (this.#closed) throw new StorageError('STORE_CLOSED', `${job.what}: the store was closed`);
    const { signal } = options;
    if (signal?.aborted === true) throw aborted(job, signal.reason);
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<UnpackResult>((resolve, reject) => {
        const asked = new AsyncResource('SedimentUnpackJob');
        const waiting = { job, options, asked, resolve, reject };
        onAbort = () => this.#abort(waiting, aborted(job, signal?.reason));
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#enqueue(waiting);
        this.#dispatchSoon();
      });
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Ends all jobs with `ABORTED`, and all threads. May be called again. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) waiting.reject(closed(waiting.job));
    for (const [waiting, threads] of this.#running) stopAll(threads, closed(waiting.job));
    await Promise.allSettled(this.#settling);
    await Promise.all(Array.from(this.#threads, (thread) => thread.terminate()));
    this.#threads.clear();
  }

  #enqueue(waiting: Waiting): void {
    const priority = waiting.options.priority ?? 0;
    const behind = this.#queue.findIndex((other) => (other.options.priority ?? 0) < priority);
    this.#queue.splice(behind < 0 ? this.#queue.length : behind, 0, waiting);
  }

  /** All jobs that are given at once are in the queue before the first one begins. */
  #dispatchSoon(): void {
    if (this.#dispatching) return;
    this.#dispatching = true;
    queueMicrotask(() => {
      this.#dispatching = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    for (let free = this.#free(); free > 0 && this.#queue.length > 0; free = this.#free()) {
      const waiting = this.#queue.shift() as Waiting;
      waiting.resolve(
        this.#start(waiting, free >= THREADS_PER_LAYER && this.#isWorthTwo(waiting) ? THREADS_PER_LAYER : 1),
      );
    }
  }

  /** How many threads are idle or may be started. Threads that ended while idle are forgotten here. */
  #free(): number {
    for (const thread of this.#idle.splice(0)) {
      if (thread.alive) this.#idle.push(thread);
      else this.#threads.delete(thread);
    }
    return this.#idle.length + this.#size - this.#threads.size;
  }

  /** Whether a job would still run when the threads are through with all others. */
  #isWorthTwo({ job: { blob } }: Waiting): boolean {
    if (blob === undefined || blob.length < this.#splitMinBytes) return false;
    const rest = this.#queue.reduce((sum, { job }) => sum + (job.blob?.length ?? job.expect.size ?? 0), 0);
    return blob.length > rest / this.#size;
  }

  #newThread(): UnpackThread {
    const thread = new UnpackThread(this.#workerUrl, this.#stopGraceMs);
    this.#threads.add(thread);
    return thread;
  }

  async #start(waiting: Waiting, count: 1 | 2): Promise<UnpackResult> {
    const { job, options, asked } = waiting;
    const consumer = this.#idle.pop() ?? this.#newThread();
    const producer = count === 1 ? undefined : (this.#idle.pop() ?? this.#newThread());
    const threads = producer === undefined ? [consumer] : [consumer, producer];
    this.#running.set(waiting, threads);
    const settling = asked.runInAsyncScope(() =>
      producer === undefined ? consumer.run(job, options) : runSplit({ producer, consumer }, job, options),
    );
    this.#settling.add(settling);
    try {
      return await settling;
    } finally {
      this.#settling.delete(settling);
      this.#running.delete(waiting);
      for (const thread of threads) {
        if (thread.alive) this.#idle.push(thread);
        else this.#threads.delete(thread);
      }
      this.#dispatch();
    }
  }

  #abort(waiting: Waiting, reason: StorageError): void {
    const index = this.#queue.indexOf(waiting);
    if (index < 0) {
      stopAll(this.#running.get(waiting) ?? [], reason);
      return;
    }
    this.#queue.splice(index, 1);
    waiting.reject(reason);
  }
}

function stopAll(threads: readonly UnpackThread[], reason: StorageError): void {
  for (const thread of threads) thread.stop(reason);
}

function aborted({ what }: UnpackJob, cause: unknown): StorageError {
  return new StorageError('ABORTED', `${what}: unpacking was aborted`, { cause });
}

function closed({ what }: UnpackJob): StorageError {
  return new StorageError('ABORTED', `${what}: unpacking ended because the store was closed`);
}
