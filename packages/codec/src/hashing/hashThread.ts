import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Digest, type DigestAlgorithm, newHasher, StorageError } from '@sediment/core';
import { BLOCK_BYTES, holdShared, SharedBlocks } from './sharedBlocks.ts';

/** For bytes that lie elsewhere than in shared blocks, and are copied. */
const COPIES = 3;
/** Streams mostly come one after the other. */
const IDLE_MS = 200;

/** The thread keeps nothing; with the usual limits messages that came to an end take 10 MB before they are collected. */
const SMALL_HEAP = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 };

/** What the thread runs: it has no file, so that nobody has to know where it lies. */
const PROGRAM = `
const { parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
let hash;
let blocks;
parentPort.on('message', ({ begin, memory, offset, length }) => {
  if (begin !== undefined) hash = createHash(begin);
  else if (memory !== undefined) blocks = memory;
  else if (offset === undefined) parentPort.postMessage(hash.digest('hex'));
  else {
    hash.update(new Uint8Array(blocks, offset, length));
    parentPort.postMessage(undefined);
  }
});
`;

/** What comes of a question, in the order of the questions: nothing for bytes, or when the thread has ended. */
type Answered = (hex: string | undefined) => void;

/**
 * A hash that another thread computes. One who does not come to the end of it calls `abandon`; until then, or until the
 * hash is collected, the thread has no time for others.
 */
export interface ThreadHasher {
  /** Settles when the bytes may be used again, or, if they lie in a shared block, are held. Call one after the other. */
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
  readonly #worker: Worker;
  readonly #started: Promise<boolean>;
  readonly #copies = new SharedBlocks(COPIES);
  readonly #asked: Answered[] = [];
  /** What the thread reads of. */
  #memory: ArrayBufferLike | undefined;
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
      resourceLimits: SMALL_HEAP,
    };
    this.#worker = new Worker(PROGRAM, options);
    this.#worker.on('message', (hex: string | undefined) => this.#onAnswer(hex));
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
    if (this.#asked.length === 0) this.#worker.unref();
    return hasStarted;
  }

  async #update(bytes: Uint8Array): Promise<void> {
    const release = holdShared(bytes);
    if (release !== undefined) {
      this.#hash(bytes, release);
      return;
    }
    for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
      await this.#copies.room();
      const copy = this.#copies.take().subarray(0, bytes.length - start);
      copy.set(bytes.subarray(start, start + copy.length));
      this.#hash(copy, () => this.#copies.release(copy));
    }
  }

  #hash({ buffer, byteOffset: offset, length }: Uint8Array, done: () => void): void {
    if (this.#failure === undefined && buffer !== this.#memory) {
      this.#memory = buffer;
      this.#worker.postMessage({ memory: buffer });
    }
    this.#ask({ offset, length }, done);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #digest(): Promise<string> {
    const hex = await new Promise<string | undefined>((resolve) => this.#ask({}, resolve));
    this.#rest();
    if (hex === undefined) throw this.#failure;
    return hex;
  }

  /** The thread keeps the process alive only until it has answered: a stream may be forgotten halfway. */
  #ask(question: { readonly offset?: number; readonly length?: number }, answered: Answered): void {
    if (this.#failure !== undefined) {
      answered(undefined);
      return;
    }
    if (this.#asked.length === 0) this.#worker.ref();
    this.#asked.push(answered);
    this.#worker.postMessage(question);
  }

  #onAnswer(hex: string | undefined): void {
    this.#asked.shift()?.(hex);
    if (this.#asked.length === 0) this.#worker.unref();
  }

  #fail(cause: Error | undefined): void {
    const why = cause === undefined ? 'it ended' : cause.message;
    this.#failure ??= new StorageError('IO', `the hashing thread ended unexpectedly: ${why}`, {
      hint: 'try again; a thread that runs out of memory ends like this, too',
      ...(cause === undefined ? {} : { cause }),
    });
    for (const answered of this.#asked.splice(0)) answered(undefined);
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
