import { StorageError } from '@sediment/core';
import type { DiffFacts, DiffSource } from '../diffSource.ts';
import { receiveError } from '../workerProtocol.ts';
import { writeReadyBatch } from './fileBatches.ts';
import type { FileHandover } from './fileHandover.ts';
import { SLOT_STATE, type SplitEnd } from './slotWriter.ts';
import { SLOTS, type SlotFields, SPLIT_MODE, type SplitMemory } from './splitMemory.ts';

export interface SplitDiffOptions {
  readonly memory: SplitMemory;
  readonly handover: FileHandover;
  /** Called while there is nothing to read; may throw, to stop. */
  readonly checkpoint: () => void;
}

/** The consumer's end of the slots: what `produceDiff` reads in another thread. */
export class SplitDiff implements DiffSource {
  readonly #options: SplitDiffOptions;
  #next = 0;
  #end: SplitEnd | undefined;

  constructor(options: SplitDiffOptions) {
    this.#options = options;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { memory, handover } = this.#options;
    for (;;) {
      const slot = this.#take();
      if (slot === undefined) break;
      const { length } = memory.slots[slot] as SlotFields;
      handover.beginSlot(slot);
      try {
        yield (memory.contents[slot] as Buffer).subarray(0, Atomics.load(memory.control, length));
      } finally {
        handover.endSlot();
        memory.leaveSlot(slot);
      }
    }
    if (this.#end?.type === 'unreadable') throw receiveError(this.#end.error);
  }

  async facts(): Promise<DiffFacts> {
    const end = this.#end;
    if (end?.type === 'facts') return end.facts;
    if (end?.type === 'refused') throw receiveError(end.error);
    throw new TypeError('the layer was not read to its end');
  }

  async mismatch(): Promise<StorageError | undefined> {
    const { memory } = this.#options;
    memory.setMode(SPLIT_MODE.digestOnly);
    for (
      let slot = this.#end === undefined ? this.#take() : undefined;
      slot !== undefined;
      slot = this.#take()
    ) {
      memory.leaveSlot(slot);
    }
    const sent = this.#end?.mismatch;
    if (sent === undefined) return undefined;
    const error = receiveError(sent);
    if (error instanceof StorageError && error.code === 'DIGEST_MISMATCH') return error;
    throw error;
  }

  finish(): void {
    // The producer has completed the copy.
  }

  discard(): void {
    // Whoever runs both threads removes it.
  }

  close(): void {
    this.#options.memory.setMode(SPLIT_MODE.closed);
  }

  /** The next slot with content; undefined when the producer's last message came instead. */
  #take(): number | undefined {
    const { memory, handover, checkpoint } = this.#options;
    const slot = this.#next % SLOTS;
    const { state, kind, length, users } = memory.slots[slot] as SlotFields;
    const { control } = memory;
    memory.waitFor(() => {
      while (Atomics.load(control, state) !== SLOT_STATE.filled) {
        handover.retry();
        if (!writeReadyBatch(memory)) return undefined;
      }
      return true;
    }, checkpoint);
    this.#next++;
    Atomics.store(control, users, 1);
    // It may still be in use when its turn comes again.
    Atomics.store(control, state, SLOT_STATE.taken);
    if (Atomics.load(control, kind) === 0) return slot;
    const bytes = (memory.contents[slot] as Buffer).subarray(0, Atomics.load(control, length));
    this.#end = JSON.parse(Buffer.from(bytes).toString()) as SplitEnd;
    memory.leaveSlot(slot);
    return undefined;
  }
}
