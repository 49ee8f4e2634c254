import { Worker } from 'node:worker_threads';
import { StorageError } from '@sediment/core';
import { ChunkSender } from './chunkSender.ts';
import { cleanUpAfter } from './cleanUpAfter.ts';
import { withCleanupError } from './cleanupError.ts';
import type { OpenBytes, UnpackJob, UnpackResult } from './unpackJob.ts';
import { type RunMessage, receiveError, type WorkerMessage } from './workerProtocol.ts';

export interface ThreadRunOptions {
  readonly onProgress?: (bytesRead: number) => void;
  /** The bytes of the layer, for a job without a blob. Opened once, by `run`. */
  readonly input?: OpenBytes;
  /** The other half is done by another thread; what a crash leaves is then the caller's to remove. */
  readonly split?: RunMessage['split'];
}

interface Running {
  readonly job: UnpackJob;
  readonly isSplit: boolean;
  readonly onProgress: ((bytesRead: number) => void) | undefined;
  readonly stopFlag: Int32Array<SharedArrayBuffer>;
  readonly sender: ChunkSender | undefined;
  resolve(result: UnpackResult | undefined): void;
  reject(error: unknown): void;
  /** Why the job shall stop; what it then fails with. */
  stopReason?: unknown;
  grace?: NodeJS.Timeout;
}

/**
 * What an entry leaves behind is dead with the next one. With the default, twice 8 MiB are filled with that, and buffers
 * outside of the heap live on until it is full.
 */
const LITTLE_YOUNG = { maxYoungGenerationSizeMb: 3 };

/** One worker thread, which runs one job at a time. It keeps the process alive only while it does. */
export class UnpackThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #running: Running | undefined;
  #crash: Error | undefined;
  #alive = true;

  readonly #stopGraceMs: number;

  /** @param stopGraceMs how long a job may take to notice that it shall stop, before its thread is terminated */
  constructor(url: URL, stopGraceMs: number) {
    this.#stopGraceMs = stopGraceMs;
    // Not the flags of this process: some (`--input-type`) make no sense for a script.
    this.#worker = new Worker(url, { name: 'sediment-unpack', execArgv: [], resourceLimits: LITTLE_YOUNG });
    this.#worker.unref();
    this.#worker.on('message', (message: WorkerMessage) => this.#onMessage(message));
    this.#worker.on('error', (error: Error) => {
      this.#crash = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#alive = false;
        this.#onExit(code);
        resolve();
      });
    });
  }

  /** False once the thread has ended; it cannot be used any more. */
  get alive(): boolean {
    return this.#alive;
  }

  async run(job: UnpackJob, options: ThreadRunOptions = {}): Promise<UnpackResult> {
    return (await this.#run(job, options)) as UnpackResult;
  }

  /** Does the producing half of a job. It fails only if the thread crashes or is stopped. */
  async produce(job: UnpackJob, options: ThreadRunOptions): Promise<void> {
    await this.#run(job, options);
  }

  #run(job: UnpackJob, { onProgress, input, split }: ThreadRunOptions): Promise<UnpackResult | undefined> {
    if (this.#running !== undefined) throw new TypeError('the thread runs another job');
    return new Promise((resolve, reject) => {
      const stopFlag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
      const sender =
        input === undefined
          ? undefined
          : new ChunkSender({ source: input, onError: (error) => this.stop(error) });
      const isSplit = split !== undefined;
      this.#running = { job, isSplit, onProgress, stopFlag, sender, resolve, reject };
      this.#worker.ref();
      this.#post({ job, stopFlag: stopFlag.buffer, ...(isSplit ? { split } : {}) }, sender);
    });
  }

  /**
   * Makes the running job fail with `reason`, soon: when it next looks at its flag, or else with the
   * thread's end. Its promise settles when nothing writes any more.
   */
  stop(reason: unknown): void {
    const running = this.#running;
    if (running === undefined || running.stopReason !== undefined) return;
    running.stopReason = reason;
    running.sender?.close();
    Atomics.store(running.stopFlag, 0, 1);
    running.grace = setTimeout(() => void this.#worker.terminate(), this.#stopGraceMs);
  }

  /** Ends the thread; a running job fails. */
  async terminate(): Promise<void> {
    if (this.#alive) await this.#worker.terminate();
    await this.#exited;
  }

  #post(message: RunMessage, sender: ChunkSender | undefined): void {
    if (sender === undefined) {
      this.#worker.postMessage(message);
      return;
    }
    this.#worker.postMessage({ ...message, input: sender.port }, [sender.port]);
    void sender.run();
  }

  #onMessage(message: WorkerMessage): void {
    if (message.type === 'progress') {
      this.#report(message.bytesRead);
      return;
    }
    const running = this.#settle();
    if (running === undefined) return;
    if (message.type === 'done') running.resolve(message.result);
    else if (message.type === 'produced') running.resolve(undefined);
    else running.reject(running.stopReason ?? receiveError(message.error));
  }

  #report(bytesRead: number): void {
    try {
      this.#running?.onProgress?.(bytesRead);
    } catch (error) {
      this.stop(error);
    }
  }

  #onExit(exitCode: number): void {
    const running = this.#settle();
    if (running === undefined) return;
    const { job, isSplit, stopReason } = running;
    const reason = stopReason ?? crashed(job, exitCode, this.#crash);
    try {
      if (!isSplit) cleanUpAfter(job);
      running.reject(reason);
    } catch (error) {
      running.reject(withCleanupError(reason, error));
    }
  }

  #settle(): Running | undefined {
    const running = this.#running;
    this.#running = undefined;
    running?.sender?.close();
    clearTimeout(running?.grace);
    this.#worker.unref();
    return running;
  }
}

function crashed({ what }: UnpackJob, exitCode: number, cause: Error | undefined): StorageError {
  const reason = cause === undefined ? `exit code ${exitCode}` : cause.message;
  return new StorageError('UNPACK_FAILED', `${what}: the unpack worker ended unexpectedly: ${reason}`, {
    object: what,
    cause,
    hint: 'try again; a worker that runs out of memory ends like this, too',
  });
}
