import type { BitReader } from './bitReader.ts';

const MAX_LENGTH = 20;

/** A canonical Huffman code of bzip2: symbols by code length, then by value; lengths 1–20. */
export class Bzip2Huffman {
  /** First code that is longer than the index, aligned to 20 bits. */
  readonly #limits = new Uint32Array(MAX_LENGTH + 1);
  /** What to subtract from a code of that length to get an index into the symbols. */
  readonly #bases = new Int32Array(MAX_LENGTH + 1);
  readonly #symbols: Uint16Array;
  readonly #shortest: number;

  constructor(lengths: Uint8Array) {
    const counts = new Uint32Array(MAX_LENGTH + 1);
    for (const length of lengths) counts[length] = (counts[length] as number) + 1;
    this.#symbols = new Uint16Array(lengths.length);
    this.#shortest = counts.findIndex((count) => count > 0);
    let code = 0;
    let index = 0;
    for (let length = 1; length <= MAX_LENGTH; length++) {
      this.#bases[length] = code - index;
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] === length) this.#symbols[index++] = symbol;
      }
      code += counts[length] as number;
      this.#limits[length] = code * 2 ** (MAX_LENGTH - length);
      code *= 2;
    }
  }

  /** The next symbol, or -1 when the bits are no code. */
  next(bits: BitReader): number {
    const ahead = bits.peek(MAX_LENGTH);
    for (let length = this.#shortest; length <= MAX_LENGTH; length++) {
      if (ahead >= (this.#limits[length] as number)) continue;
      bits.skip(length);
      const index = (ahead >>> (MAX_LENGTH - length)) - (this.#bases[length] as number);
      return this.#symbols[index] ?? -1;
    }
    return -1;
  }
}
