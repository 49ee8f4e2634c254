/**
 * HalfSipHash-1-3: a keyed hash of 32 bits that is made for tables whose keys come from strangers. Source: Jean-Philippe
 * Aumasson, Daniel J. Bernstein, "SipHash: a fast short-input PRF", and the reference code `halfsiphash.c`.
 */
export class HalfSipHash {
  readonly #low: number;
  readonly #high: number;

  /** @param key two words, the low one first */
  constructor([low = 0, high = 0]: Int32Array) {
    this.#low = low;
    this.#high = high;
  }

  /** The hash as a signed number. */
  of(bytes: Uint8Array): number {
    let v0 = this.#low;
    let v1 = this.#high;
    let v2 = 0x6c796765 ^ this.#low;
    let v3 = 0x74656462 ^ this.#high;
    const { length } = bytes;
    const whole = length & ~3;
    for (let i = 0; i < whole; i += 4) {
      const word =
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24);
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = (v1 << 5) | (v1 >>> 27);
      v1 ^= v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = (v3 << 8) | (v3 >>> 24);
      v3 ^= v2;
      v0 = (v0 + v3) | 0;
      v3 = (v3 << 7) | (v3 >>> 25);
      v3 ^= v0;
      v2 = (v2 + v1) | 0;
      v1 = (v1 << 13) | (v1 >>> 19);
      v1 ^= v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    let word = length << 24;
    for (let i = whole; i < length; i++) word |= (bytes[i] as number) << ((i - whole) * 8);
    // The round is written out again: one loop with a branch for the end takes half as much longer.
    for (let round = 0; round < 4; round++) {
      if (round === 1) {
        v2 ^= 0xff;
        word = 0;
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = (v1 << 5) | (v1 >>> 27);
      v1 ^= v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = (v3 << 8) | (v3 >>> 24);
      v3 ^= v2;
      v0 = (v0 + v3) | 0;
      v3 = (v3 << 7) | (v3 >>> 25);
      v3 ^= v0;
      v2 = (v2 + v1) | 0;
      v1 = (v1 << 13) | (v1 >>> 19);
      v1 ^= v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return v1 ^ v3;
  }
}
