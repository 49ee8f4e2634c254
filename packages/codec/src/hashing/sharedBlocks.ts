/** Bytes of a block: what is assembled, hashed and written at a time. */
export const BLOCK_BYTES = 512 * 1024;

const poolOf = new WeakMap<ArrayBufferLike, SharedBlocks>();

/**
 * Memory in blocks, for bytes that several read at the same time, in several threads, so that nobody copies them: a block
 * is filled again when all that hold it have released it.
 */
export class SharedBlocks {
  readonly #memory: SharedArrayBuffer;
  /** How many hold each block. */
  readonly #holders: number[];
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#memory = new SharedArrayBuffer(count * BLOCK_BYTES);
    this.#holders = Array.from({ length: count }, () => 0);
    poolOf.set(this.#memory, this);
  }

  get isUnused(): boolean {
    return this.#holders.every((holders) => holders === 0);
  }

  /** Waits until there is a block for {@link take}. */
  async room(): Promise<void> {
    while (!this.#holders.includes(0)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** A block that nobody holds but the caller, who releases it. There must be {@link room}. */
  take(): Buffer {
    const index = this.#holders.indexOf(0);
    if (index < 0) throw new RangeError('all blocks are held');
    this.#holders[index] = 1;
    return Buffer.from(this.#memory, index * BLOCK_BYTES, BLOCK_BYTES);
  }

  /** Holds the block that bytes lie in, once more. */
  hold(bytes: Uint8Array): void {
    this.#add(bytes, 1);
  }

  /** To be called once for each time that a block was taken or held. */
  release(bytes: Uint8Array): void {
    if (this.#add(bytes, -1) > 0) return;
    for (const goOn of this.#waiting.splice(0)) goOn();
  }

  #add(bytes: Uint8Array, change: number): number {
    const index = Math.floor(bytes.byteOffset / BLOCK_BYTES);
    const holders = (this.#holders[index] as number) + change;
    this.#holders[index] = holders;
    return holders;
  }
}

/**
 * Holds bytes that lie in a shared block beyond the moment up to which they are valid.
 *
 * @returns what releases them, to be called once; undefined if they lie elsewhere, and have to be copied
 */
export function holdShared(bytes: Uint8Array): (() => void) | undefined {
  const pool = poolOf.get(bytes.buffer);
  if (pool === undefined) return undefined;
  pool.hold(bytes);
  return () => pool.release(bytes);
}
