import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Digest, type DigestAlgorithm, newHasher, StorageError } from '@sediment/core';

const SLOT_BYTES = 512 * 1024;
const SLOTS = 3;
/** Streams mostly come one after the other. */
const IDLE_MS = 200;

/** The thread keeps nothing; with the usual limits messages that came to an end take 10 MB before they are collected. */
const SMALL_HEAP = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 };

/** What the thread runs: it has no file, so that nobody has to know where it lies. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { createHash } = require('node:crypto');
let hash;
parentPort.on('message', ({ begin, slot, length }) => {
  if (begin !== undefined) hash = createHash(begin);
  else if (slot !== undefined) {
    hash.update(new Uint8Array(workerData, slot * ${SLOT_BYTES}, length));
    parentPort.postMessage({ slot });
  } else parentPort.postMessage({ hex: hash.digest('hex') });
});
`;

type Answer = { readonly slot: number } | { readonly hex: string };

/**
 * A hash that another thread computes. One who does not come to the end of it calls `abandon`; until then, or until the
 * hash is collected, the thread has no time for others.
 */
export interface ThreadHasher {
  /** Settles when the bytes may be used again. Call one after the other. */
  update(bytes: Uint8Array): Promise<void>;
  /** Call once, at the end. */
  digest(): Promise<Digest>;
  /** Does nothing once the digest was asked for. */
  abandon(): void;
}

/** Nobody has to read a stream to its end, or to say that it will not be. */
const forgotten = new FinalizationRegistry((abandon: () => void) => abandon());

/**
 * A thread for the digest of a long stream, which takes as long as all the rest of handing bytes on. It keeps the process
 * alive only while somebody waits for it, and ends soon after its work.
 *
 * @throws {StorageError} `IO`, from all methods, when the thread ends unexpectedly
 */
export class HashThread {
  readonly #memory = new SharedArrayBuffer(SLOTS * SLOT_BYTES);
  readonly #worker: Worker;
  readonly #started: Promise<boolean>;
  readonly #free = Array.from({ length: SLOTS }, (_, slot) => slot);
  #answered: (() => void) | undefined;
  #hex: string | undefined;
  #failure: StorageError | undefined;
  #isBusy = false;
  #streams = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor() {
    const options = {
      eval: true,
      execArgv: [],
      // What NODE_OPTIONS preloads is of no use there, and may be larger than the heap.
      env: {},
      name: 'sediment-hash',
      workerData: this.#memory,
      resourceLimits: SMALL_HEAP,
    };
    this.#worker = new Worker(PROGRAM, options);
    this.#worker.on('message', (answer: Answer) => this.#onAnswer(answer));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
    this.#started = new Promise((resolve) => {
      this.#worker.once('online', () => resolve(true));
      this.#worker.once('exit', () => resolve(false));
    });
    // After the listeners, of which the first one would take it back.
    this.#worker.unref();
  }

  /** Whether it can take a stream. */
  get isFree(): boolean {
    return !this.#isBusy && this.#failure === undefined;
  }

  /** False once it has ended, or is about to. */
  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  /** Begins with another stream. If it turns out that the thread cannot run (too many open files), the caller's hashes. */
  begin(algorithm: DigestAlgorithm): ThreadHasher {
    clearTimeout(this.#idle);
    this.#isBusy = true;
    const stream = ++this.#streams;
    this.#worker.postMessage({ begin: algorithm });
    // What is under way comes to nothing: the next stream begins anew.
    const abandon = () => {
      if (stream === this.#streams) this.#rest();
    };
    let instead: ReturnType<typeof newHasher> | undefined;
    const hasHere = async () => {
      if (!(await this.#hasStarted())) instead ??= newHasher(algorithm);
      return instead;
    };
    // None of these may refer to the object itself: it would never be collected.
    const hasher: ThreadHasher = {
      update: async (bytes) => {
        const here = await hasHere();
        if (here === undefined) await this.#update(bytes);
        else here.update(bytes);
      },
      digest: async () => {
        // Nobody holds on to the object any more; the thread is free when it has answered.
        if (stream === this.#streams) this.#streams++;
        return (await hasHere())?.digest() ?? (`${algorithm}:${await this.#digest()}` as Digest);
      },
      abandon,
    };
    forgotten.register(hasher, abandon);
    return hasher;
  }

  async #hasStarted(): Promise<boolean> {
    this.#worker.ref();
    const hasStarted = await this.#started;
    this.#worker.unref();
    return hasStarted;
  }

  async #update(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += SLOT_BYTES) {
      const part = bytes.subarray(start, start + SLOT_BYTES);
      const slot = await this.#freeSlot();
      new Uint8Array(this.#memory, slot * SLOT_BYTES, part.length).set(part);
      this.#worker.postMessage({ slot, length: part.length });
    }
  }

  async #freeSlot(): Promise<number> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const slot = this.#free.pop();
      if (slot !== undefined) return slot;
      await this.#nextAnswer();
    }
  }

  async #digest(): Promise<string> {
    this.#worker.postMessage({});
    while (this.#hex === undefined && this.#failure === undefined) await this.#nextAnswer();
    const hex = this.#hex;
    this.#hex = undefined;
    this.#rest();
    if (hex === undefined) throw this.#failure;
    return hex;
  }

  /** The thread keeps the process alive only for those who wait: a stream may be forgotten halfway. */
  async #nextAnswer(): Promise<void> {
    this.#worker.ref();
    await new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    this.#worker.unref();
  }

  #onAnswer(answer: Answer): void {
    if ('slot' in answer) this.#free.push(answer.slot);
    else this.#hex = answer.hex;
    this.#answered?.();
  }

  #fail(cause: Error | undefined): void {
    const why = cause === undefined ? 'it ended' : cause.message;
    this.#failure ??= new StorageError('IO', `the hashing thread ended unexpectedly: ${why}`, {
      hint: 'try again; a thread that runs out of memory ends like this, too',
      ...(cause === undefined ? {} : { cause }),
    });
    this.#answered?.();
  }

  #rest(): void {
    if (!this.#isBusy) return;
    this.#isBusy = false;
    this.#idle = setTimeout(() => {
      // It is free no more.
      this.#fail(undefined);
      void this.#worker.terminate();
    }, IDLE_MS).unref();
  }
}

let thread: HashThread | undefined;

/**
 * A hash in another thread, or undefined where that is of no use or cannot be had: on one core, when the thread has a stream
 * already, so that the cores are busy, and where no thread can be started. Then the caller hashes.
 */
export function hashInThread(algorithm: DigestAlgorithm): ThreadHasher | undefined {
  if (availableParallelism() < 2) return undefined;
  if (thread?.isAlive !== true) thread = startThread();
  if (thread === undefined) return undefined;
  return thread.isFree ? thread.begin(algorithm) : undefined;
}

function startThread(): HashThread | undefined {
  try {
    return new HashThread();
  } catch (error) {
    // No more threads for this user (EAGAIN), or a policy that forbids them: it is a matter of speed alone.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
