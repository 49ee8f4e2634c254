import type { FileHandle } from 'node:fs/promises';
import { holdShared } from '@sediment/codec';
import { writeFully } from './writeFully.ts';

const BUFFER_BYTES = 512 * 1024;
/** What is shorter is gathered. */
const DIRECT_BYTES = BUFFER_BYTES / 2;

/**
 * Writes a file from its start in large pieces, each while the next one is gathered. What was given may be used again at
 * once, for it is copied, or held where it lies in a shared block; an error of a piece is thrown by one of the calls that follow, at the latest by `flush`.
 */
export class WriteBehind {
  readonly #file: FileHandle;
  #buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #other: Buffer | undefined;
  #fill = 0;
  /** Where the buffer goes. */
  #start = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Where the piece began that could not be written. */
  #failedAt: number | undefined;

  /** @param file stays its owner's */
  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#start + this.#fill;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length >= DIRECT_BYTES) {
      const release = holdShared(bytes);
      if (release !== undefined) return await this.#writeHeld(bytes, release);
    }
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(bytes.length - done, BUFFER_BYTES - this.#fill);
      this.#buffer.set(bytes.subarray(done, done + length), this.#fill);
      this.#fill += length;
      done += length;
      if (this.#fill === BUFFER_BYTES) await this.#next();
    }
  }

  /** Waits until all of it is written. */
  async flush(): Promise<void> {
    if (this.#fill > 0) await this.#next();
    await this.#writing;
  }

  /** Overwrites bytes that were written before. */
  async patch(position: number, bytes: Uint8Array): Promise<void> {
    await this.flush();
    await writeFully(this.#file, bytes, position);
  }

  /** Forgets all from there on, and an error of writing it; one of what lies before is thrown. */
  async truncate(position: number): Promise<void> {
    await this.settle();
    if (this.#failedAt !== undefined && this.#failedAt < position) await this.#writing;
    this.#writing = Promise.resolve();
    this.#failedAt = undefined;
    await this.#file.truncate(position);
    if (position < this.#start) {
      this.#start = position;
      this.#fill = 0;
    } else {
      this.#fill = Math.min(this.#fill, position - this.#start);
    }
  }

  /** Waits until nothing is being written, whatever became of it. What was only gathered stays so. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  async #writeHeld(bytes: Uint8Array, release: () => void): Promise<void> {
    try {
      if (this.#fill > 0) await this.#next();
      await this.#writing;
    } catch (error) {
      release();
      throw error;
    }
    this.#begin(bytes);
    this.#writing.then(release, release);
  }

  /** Begins to write what was gathered, once the piece before is written. */
  async #next(): Promise<void> {
    await this.#writing;
    const [full, next] = [this.#buffer, this.#other ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)];
    this.#begin(full.subarray(0, this.#fill));
    this.#fill = 0;
    [this.#buffer, this.#other] = [next, full];
  }

  #begin(bytes: Uint8Array): void {
    const start = this.#start;
    this.#start += bytes.length;
    this.#writing = writeFully(this.#file, bytes, start);
    // Whoever calls next is told.
    this.#writing.catch(() => {
      this.#failedAt = start;
    });
  }
}
