import { setImmediate } from 'node:timers/promises';
import { StorageError } from '@sediment/core';

const LONGEST_TURN_MS = 20;

/**
 * Lets a long job that works synchronously, piece by piece, give way to the rest of the program and be
 * aborted.
 */
export class Breather {
  readonly #signal: AbortSignal | undefined;
  readonly #what: string;
  #since = performance.now();

  /** @param what names the job, for the error (`the check`) */
  constructor(what: string, signal: AbortSignal | undefined) {
    this.#what = what;
    this.#signal = signal;
  }

  /**
   * Call between two pieces of work.
   *
   * @throws {StorageError} `ABORTED`
   */
  async rest(): Promise<void> {
    if (performance.now() - this.#since < LONGEST_TURN_MS) return;
    await setImmediate();
    this.#since = performance.now();
    if (this.#signal?.aborted !== true) return;
    throw new StorageError('ABORTED', `${this.#what} was aborted`, { cause: this.#signal.reason });
  }
}
