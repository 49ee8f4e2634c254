import { type DeflateTurns, deflateTurns } from './deflateTurns.ts';
import type { Encoder } from './encoder.ts';

/** Makes gzip members of blocks, one at a time, outside of this thread. */
export interface MemberCompressor {
  /** A whole member, valid until the next call; the block does not change until it settles. */
  compress(block: Uint8Array): Promise<Uint8Array>;
  /** Called when nothing is being compressed. */
  close(): void;
}

export interface GzipMembersOptions {
  open(options: { readonly level: number; readonly blockBytes: number }): MemberCompressor;
  /** If none is asked for. */
  readonly defaultLevel: number;
  /** Who may compress when; default: all streams of the process take turns. */
  readonly turns?: DeflateTurns;
}

/** What a member holds. Twice as much makes archives smaller by a thousandth. */
export const MEMBER_BYTES = 512 * 1024;

/**
 * An encoder for gzip of several members (RFC 1952 §2.2), which every reader of gzip takes for one stream. Members are
 * made side by side; what comes out depends on the bytes, the level and the compressor alone, not on chunks, threads or
 * their order.
 *
 * Errors of the source pass through. Whoever ends it early leaves the members that are being made to themselves, which
 * takes some milliseconds; no others are begun.
 */
export function gzipMembers({ open, defaultLevel, turns = deflateTurns }: GzipMembersOptions): Encoder {
  return async function* encode(source, { level = defaultLevel } = {}) {
    const queue = new MemberQueue(() => open({ level, blockBytes: MEMBER_BYTES }), turns);
    try {
      for await (const chunk of source) {
        for (let start = 0; start < chunk.length; ) {
          start += queue.add(chunk, start);
          while (queue.isFull) yield* queue.next();
        }
      }
      queue.end();
      while (queue.length > 0) yield* queue.next();
    } finally {
      void queue.close();
    }
  };
}

/** A block, and what makes a member of it. */
interface Slot {
  readonly block: Buffer;
  readonly compressor: MemberCompressor;
}

interface Made {
  readonly slot: Slot;
  readonly member: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/** The members of one stream that are being made, in their order. */
class MemberQueue {
  readonly #open: () => MemberCompressor;
  readonly #turns: DeflateTurns;
  readonly #pending: Promise<Made>[] = [];
  readonly #slots: Slot[] = [];
  readonly #free: Slot[] = [];
  #filling: Slot | undefined;
  #length = 0;
  #isEmpty = true;
  #isStopped = false;

  constructor(open: () => MemberCompressor, turns: DeflateTurns) {
    this.#open = open;
    this.#turns = turns;
  }

  get length(): number {
    return this.#pending.length;
  }

  /** One more than can be made at a time, so that nobody waits while the result is taken away. */
  get isFull(): boolean {
    return this.#pending.length > this.#turns.width;
  }

  /** Copies what fits into the block that is being filled. @returns how much that was */
  add(chunk: Uint8Array, start: number): number {
    this.#filling ??= this.#free.pop() ?? this.#newSlot();
    const end = Math.min(chunk.length, start + MEMBER_BYTES - this.#length);
    this.#filling.block.set(chunk.subarray(start, end), this.#length);
    this.#length += end - start;
    if (this.#length === MEMBER_BYTES) this.#begin(this.#filling);
    return end - start;
  }

  /** Nothing at all is a member, too. */
  end(): void {
    if (this.#length > 0 || this.#isEmpty) this.#begin(this.#filling ?? this.#newSlot());
  }

  /** The first one, valid until the next is asked for. */
  async *next(): AsyncGenerator<Uint8Array, void, undefined> {
    const { slot, member } = await (this.#pending.shift() as Promise<Made>);
    yield member;
    this.#free.push(slot);
  }

  /** What is under way ends unheard; then the compressors are closed. */
  async close(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled(this.#pending);
    for (const { compressor } of this.#slots) compressor.close();
  }

  #newSlot(): Slot {
    const slot = { block: Buffer.allocUnsafeSlow(MEMBER_BYTES), compressor: this.#open() };
    this.#slots.push(slot);
    return slot;
  }

  #begin(slot: Slot): void {
    const block = slot.block.subarray(0, this.#length);
    const made = this.#turns.take(async () => {
      return { slot, member: this.#isStopped ? EMPTY : await slot.compressor.compress(block) };
    });
    // It may fail before its turn to be heard comes, or be left unheard.
    made.catch(() => undefined);
    this.#pending.push(made);
    this.#filling = undefined;
    this.#length = 0;
    this.#isEmpty = false;
  }
}
