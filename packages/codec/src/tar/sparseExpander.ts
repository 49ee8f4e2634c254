import type { SparseRange } from './tarHeader.ts';

const ZEROS = Buffer.alloc(64 * 1024);

/** Turns the stored bytes of a sparse file into its dense content: holes become zeros. */
export class SparseExpander {
  readonly #ranges: readonly SparseRange[];
  readonly #size: number;
  readonly #emit: (bytes: Uint8Array) => void;
  #position = 0;
  #index = 0;

  /** `ranges` must have been checked; `emit` gets the dense bytes, valid during the call. */
  constructor(ranges: readonly SparseRange[], size: number, emit: (bytes: Uint8Array) => void) {
    this.#ranges = ranges;
    this.#size = size;
    this.#emit = emit;
  }

  push(stored: Uint8Array): void {
    for (let used = 0; used < stored.length; ) {
      const range = this.#ranges[this.#index];
      if (range === undefined) throw new RangeError('more bytes than the sparse map has room for');
      this.#fillTo(range.offset);
      const left = range.offset + range.length - this.#position;
      const taken = Math.min(left, stored.length - used);
      if (taken > 0) this.#emit(stored.subarray(used, used + taken));
      this.#position += taken;
      used += taken;
      if (taken === left) this.#index++;
    }
  }

  /** Call once, when all stored bytes have been pushed. */
  finish(): void {
    this.#fillTo(this.#size);
  }

  #fillTo(end: number): void {
    while (this.#position < end) {
      const length = Math.min(ZEROS.length, end - this.#position);
      this.#emit(ZEROS.subarray(0, length));
      this.#position += length;
    }
  }
}
