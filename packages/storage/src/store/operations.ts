import { StorageError } from '@sediment/core';

/** The operations on an open store that change it. Closing waits for them, so that they can clean up. */
export class Operations {
  readonly #graphRoot: string;
  readonly #refuseWrite: ((path: string) => StorageError) | undefined;
  readonly #running = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  #state: 'open' | 'closing' | 'closed' = 'open';

  /** @param refuseWrite for a store that is only read: makes the error for a path */
  constructor(graphRoot: string, refuseWrite: ((path: string) => StorageError) | undefined) {
    this.#graphRoot = graphRoot;
    this.#refuseWrite = refuseWrite;
  }

  /**
   * Runs an operation that changes the store or its mounts.
   *
   * @throws {StorageError} `STORE_CLOSED`; `STORE_READ_ONLY` or its like for a snapshot
   */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    this.assertNotClosing();
    if (this.#refuseWrite !== undefined) throw this.#refuseWrite(this.#graphRoot);
    const running = operation();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Aborted when nothing new may begin. */
  get closing(): AbortSignal {
    return this.#stop.signal;
  }

  /** @throws {StorageError} `STORE_CLOSED` when nothing new may begin */
  assertNotClosing(): void {
    if (this.#state !== 'open') throw this.#closedError();
  }

  /** @throws {StorageError} `STORE_CLOSED` when nothing is running any more; before, what runs may go on */
  assertNotClosed(): void {
    if (this.#state === 'closed') throw this.#closedError();
  }

  /** Lets nothing new begin, calls `stop`, and waits for what is running. Returns false the second time. */
  async close(stop: () => Promise<void>): Promise<boolean> {
    const first = this.#state === 'open';
    try {
      if (first) {
        this.#state = 'closing';
        this.#stop.abort();
        await stop();
      }
    } finally {
      await Promise.allSettled(this.#running);
      this.#state = 'closed';
    }
    return first;
  }

  #closedError(): StorageError {
    return new StorageError('STORE_CLOSED', `store ${this.#graphRoot} was closed`, { path: this.#graphRoot });
  }
}
