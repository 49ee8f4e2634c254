import type { DiffFacts } from '../diffSource.ts';
import { flushWritten } from '../fileWriteback.ts';
import type { SentError } from '../workerProtocol.ts';
import { writeReadyBatch } from './fileBatches.ts';
import { SLOT_BYTES, SLOTS, type SlotFields, SPLIT_MODE, type SplitMemory } from './splitMemory.ts';

/** A slot is the producer's while it is free. The consumer takes what is filled, and it is free when all have left it. */
export const SLOT_STATE = { free: 0, filled: 1, taken: 2 } as const;
const KIND = { content: 0, end: 1 } as const;

/** The last that the producer has to say. */
export type SplitEnd =
  | { readonly type: 'facts'; readonly facts: DiffFacts; readonly mismatch?: undefined }
  /** Everything was read, and is not what was asked for. */
  | { readonly type: 'refused'; readonly error: SentError; readonly mismatch?: SentError }
  /** The content ends here, for it cannot be read. */
  | { readonly type: 'unreadable'; readonly error: SentError; readonly mismatch?: SentError }
  /** The consumer wanted the digest only. */
  | { readonly type: 'digestOnly'; readonly mismatch?: SentError };

/** The producer's end of the slots. While it has no room it writes the consumer's files. */
export class SlotWriter {
  readonly #memory: SplitMemory;
  readonly #checkpoint: () => void;
  #next = 0;
  /** Bytes in the slot that is being filled. */
  #fill = 0;

  /** @param checkpoint called while there is nothing to do; may throw, to stop */
  constructor(memory: SplitMemory, checkpoint: () => void) {
    this.#memory = memory;
    this.#checkpoint = checkpoint;
  }

  /**
   * The rest of the slot that is being filled, which may be written to until {@link write} is called; give that what was
   * written, from the start. Undefined when the consumer wants no more.
   */
  offer(): Buffer | undefined {
    return this.#room()?.subarray(this.#fill);
  }

  /** Hands content over; false when the consumer wants no more. What lies in the memory that was offered is not copied. */
  write(bytes: Uint8Array): boolean {
    if (bytes.buffer === this.#memory.buffer) {
      this.#advance(bytes.length);
      return this.#memory.mode === SPLIT_MODE.content;
    }
    for (let done = 0; done < bytes.length; ) {
      const slot = this.#room();
      if (slot === undefined) return false;
      const length = Math.min(bytes.length - done, SLOT_BYTES - this.#fill);
      slot.set(bytes.subarray(done, done + length), this.#fill);
      this.#advance(length);
      done += length;
    }
    return true;
  }

  /** Says the last. */
  end(message: SplitEnd): void {
    const bytes = Buffer.from(JSON.stringify(message));
    if (this.#fill > 0) this.#publish(KIND.content);
    const slot = this.#room(SPLIT_MODE.digestOnly);
    if (slot === undefined) return;
    slot.set(bytes);
    this.#fill = bytes.length;
    this.#publish(KIND.end);
  }

  /** Writes the consumer's files until it needs no more help. */
  help(): void {
    const memory = this.#memory;
    memory.waitFor(() => {
      while (memory.mode !== SPLIT_MODE.closed) if (!this.#helpOnce()) return undefined;
      return true;
    }, this.#checkpoint);
  }

  /** The slot to be filled, once it is free; undefined when the consumer wants less than `mode` says. */
  #room(mode: number = SPLIT_MODE.content): Buffer | undefined {
    const memory = this.#memory;
    const index = this.#next % SLOTS;
    const { state } = memory.slots[index] as SlotFields;
    const free = memory.waitFor(() => {
      for (;;) {
        if (memory.mode > mode) return false;
        if (Atomics.load(memory.control, state) === SLOT_STATE.free) return true;
        if (!this.#helpOnce()) return undefined;
      }
    }, this.#checkpoint);
    return free ? memory.contents[index] : undefined;
  }

  /** False if there is nothing to do for the consumer. */
  #helpOnce(): boolean {
    const memory = this.#memory;
    if (memory.roomWanted) {
      flushWritten();
      memory.roomWanted = false;
    }
    return writeReadyBatch(memory);
  }

  #advance(length: number): void {
    this.#fill += length;
    if (this.#fill === SLOT_BYTES) this.#publish(KIND.content);
  }

  #publish(kind: number): void {
    const memory = this.#memory;
    const { control } = memory;
    const slot = memory.slots[this.#next % SLOTS] as SlotFields;
    Atomics.store(control, slot.kind, kind);
    Atomics.store(control, slot.length, this.#fill);
    Atomics.store(control, slot.state, SLOT_STATE.filled);
    memory.changed();
    this.#next++;
    this.#fill = 0;
  }
}
