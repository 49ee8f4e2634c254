import type { DeflateTurns } from './deflateTurns.ts';

/** Where a block is gathered. */
export interface BlockSlot {
  readonly block: Buffer;
}

export interface BlockWork<Slot extends BlockSlot> {
  readonly turns: DeflateTurns;
  /** What is gathered of a block goes here. All blocks have one length, but for the last one. */
  newSlot(): Slot;
  /**
   * Called for each block in their order; what it returns runs when the block's turn comes, and its result is valid until the
   * slot is used again.
   */
  begin(slot: Slot, length: number): () => Promise<Uint8Array>;
  /** Called when nothing is under way any more. */
  end?(slots: readonly Slot[]): void;
}

/**
 * Cuts a stream into blocks, works on them side by side, and gives what comes of them in their order. Nothing at all is a
 * block, too. A chunk is valid until the next one is pulled.
 *
 * Errors of the source and of the work pass through. Whoever ends it early leaves the work that was begun to itself; no other is
 * begun.
 */
export async function* workOnBlocks<Slot extends BlockSlot>(
  source: AsyncIterable<Uint8Array>,
  work: BlockWork<Slot>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const queue = new BlockQueue(work);
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
}

interface Result<Slot> {
  readonly slot: Slot;
  readonly bytes: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/** The blocks of one stream that are worked on, in their order. */
class BlockQueue<Slot extends BlockSlot> {
  readonly #work: BlockWork<Slot>;
  readonly #pending: Promise<Result<Slot>>[] = [];
  readonly #slots: Slot[] = [];
  readonly #free: Slot[] = [];
  #filling: Slot | undefined;
  #fill = 0;
  #isEmpty = true;
  #isStopped = false;

  constructor(work: BlockWork<Slot>) {
    this.#work = work;
  }

  get length(): number {
    return this.#pending.length;
  }

  /** One more than can be worked on at a time, so that nobody waits while the result is taken away. */
  get isFull(): boolean {
    return this.#pending.length > this.#work.turns.width;
  }

  /** Copies what fits into the block that is being filled. @returns how much that was */
  add(chunk: Uint8Array, start: number): number {
    this.#filling ??= this.#free.pop() ?? this.#newSlot();
    const { block } = this.#filling;
    const end = Math.min(chunk.length, start + block.length - this.#fill);
    block.set(chunk.subarray(start, end), this.#fill);
    this.#fill += end - start;
    if (this.#fill === block.length) this.#begin(this.#filling);
    return end - start;
  }

  end(): void {
    if (this.#fill > 0 || this.#isEmpty) this.#begin(this.#filling ?? this.#newSlot());
  }

  /** The first result, valid until the next is asked for. */
  async *next(): AsyncGenerator<Uint8Array, void, undefined> {
    const { slot, bytes } = await (this.#pending.shift() as Promise<Result<Slot>>);
    yield bytes;
    this.#free.push(slot);
  }

  async close(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled(this.#pending);
    this.#work.end?.(this.#slots);
  }

  #newSlot(): Slot {
    const slot = this.#work.newSlot();
    this.#slots.push(slot);
    return slot;
  }

  #begin(slot: Slot): void {
    const task = this.#work.begin(slot, this.#fill);
    const result = this.#work.turns.take(async () => ({
      slot,
      bytes: this.#isStopped ? EMPTY : await task(),
    }));
    // It may fail before its turn to be heard comes, or be left unheard.
    result.catch(() => undefined);
    this.#pending.push(result);
    this.#filling = undefined;
    this.#fill = 0;
    this.#isEmpty = false;
  }
}
