/**
 * Reads bits, the highest of a byte first, from one buffer. Past the end it delivers zeros and
 * remembers that; `overrun` tells.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #next: number;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array, start = 0) {
    this.#bytes = bytes;
    this.#next = start;
  }

  /** Whether more bits were taken than there are. */
  get overrun(): boolean {
    return this.#next - (this.#count >> 3) > this.#bytes.length;
  }

  /** The next `count` (1–24) bits, without consuming them. */
  peek(count: number): number {
    while (this.#count < count) {
      const byte = this.#next < this.#bytes.length ? (this.#bytes[this.#next] as number) : 0;
      this.#held = (this.#held << 8) | byte;
      this.#next++;
      this.#count += 8;
    }
    return (this.#held >>> (this.#count - count)) & (2 ** count - 1);
  }

  /** Consumes bits that `peek` has shown. */
  skip(count: number): void {
    this.#count -= count;
  }

  /** Consumes and returns `count` (1–24) bits. */
  take(count: number): number {
    const value = this.peek(count);
    this.#count -= count;
    return value;
  }

  /** Consumes and returns 32 bits, as an unsigned number. */
  take32(): number {
    return this.take(16) * 65_536 + this.take(16);
  }

  /** Position of the next bit: whole bytes before it, and bits of the byte it is in. */
  get position(): { bytes: number; bits: number } {
    const bits = this.#next * 8 - this.#count;
    return { bytes: Math.floor(bits / 8), bits: bits % 8 };
  }
}
