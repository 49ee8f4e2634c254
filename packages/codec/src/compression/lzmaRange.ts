/** Initial probability: one half, in 1/2048. */
export const HALF = 1024;
const SCALE = 2048;
const SCALE_BITS = 11;
const ADAPT = 5;
const TOP = 0xff00_0000;
const START = 5;

/**
 * The range decoder of LZMA over one chunk (LZMA specification, "Range Decoder"). Probabilities live
 * in the caller's array and adapt in place. `range` and `code` are unsigned 32-bit numbers kept as
 * signed ones, which V8 stores unboxed.
 */
export class LzmaRange {
  #input: Uint8Array = new Uint8Array(0);
  #position = 0;
  #range = 0;
  #code = 0;

  /** Begins with a chunk; false if its first bytes are no range-coded data. */
  begin(input: Uint8Array): boolean {
    this.#input = input;
    this.#position = START;
    this.#range = -1;
    this.#code = 0;
    for (let i = 1; i < START; i++) this.#code = (this.#code << 8) | (input[i] as number);
    return input.length >= START && input[0] === 0;
  }

  /** Whether the chunk was used up exactly. */
  finished(): boolean {
    this.#normalize();
    return this.#code === 0 && this.#position === this.#input.length;
  }

  bit(probs: Uint16Array, index: number): 0 | 1 {
    this.#normalize();
    const prob = probs[index] as number;
    const bound = Math.imul(this.#range >>> SCALE_BITS, prob);
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      probs[index] = prob + ((SCALE - prob) >> ADAPT);
      return 0;
    }
    this.#range = (this.#range - bound) | 0;
    this.#code = (this.#code - bound) | 0;
    probs[index] = prob - (prob >> ADAPT);
    return 1;
  }

  /** `count` bits of even probability, the highest first. */
  direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#normalize();
      this.#range >>>= 1;
      const one = this.#code >>> 0 >= this.#range >>> 0;
      if (one) this.#code = (this.#code - this.#range) | 0;
      value = (value << 1) | (one ? 1 : 0);
    }
    return value;
  }

  /** A number of `bits` bits by a tree of probabilities from `base`, the highest bit first. */
  tree(probs: Uint16Array, base: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = (node << 1) | this.bit(probs, base + node);
    return node - (1 << bits);
  }

  /** Like {@link tree}, the lowest bit first. */
  reverseTree(probs: Uint16Array, base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(probs, base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  #normalize(): void {
    if ((this.#range & TOP) !== 0) return;
    this.#range <<= 8;
    // Past the end zeros are read; `finished` notices.
    this.#code = (this.#code << 8) | (this.#input[this.#position++] as number);
  }
}
