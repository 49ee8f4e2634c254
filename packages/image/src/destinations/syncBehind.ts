import type { FileHandle } from 'node:fs/promises';

/** Larger steps leave more for the end; on a slow disk one step is what an abort may have to wait for. */
const STEP_BYTES = 16 * 1024 * 1024;

/**
 * Brings a file to its medium while more of it is made, so that little is left to be waited for at the end. One sync at a
 * time: what is written meanwhile is the next one's. The kernel tells of a failure once, so it is kept for the end.
 */
export class SyncBehind {
  readonly #file: FileHandle;
  #covered = 0;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param file stays its owner's */
  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Takes note of how far the file is written, and begins a sync when that is worth it. */
  reached(position: number): void {
    if (this.#running !== undefined || position - this.#covered < STEP_BYTES) return;
    this.#covered = position;
    this.#running = this.#sync();
  }

  /** Brings all of it to the medium, with size and mode; throws also what went wrong before. */
  async end(): Promise<void> {
    await this.settle();
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#file.sync();
  }

  /** Waits until nothing is being synced, whatever became of it. */
  async settle(): Promise<void> {
    await this.#running;
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running = undefined;
  }
}
