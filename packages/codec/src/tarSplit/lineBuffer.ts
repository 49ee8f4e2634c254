import { base64Length, type Memory, newMemory, putBase64 } from './putBase64.ts';

const SIZE = 256 * 1024;
/** A multiple of 12, as {@link putBase64} wants it. */
const BASE64_PIECE = 12_000;
const DIGIT_ZERO = 0x30;
const MAX_DIGITS = 16;

/** Collects text, as bytes, and hands it on in pieces of up to 256 KiB, which are valid during the call only. */
export class LineBuffer {
  readonly #output: (bytes: Uint8Array) => void;
  readonly #memory = newMemory(SIZE);
  readonly #bytes = Buffer.from(this.#memory.words.buffer);
  #fill = 0;

  constructor(output: (bytes: Uint8Array) => void) {
    this.#output = output;
  }

  /** Text of any length. */
  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length);
    if (length > SIZE) this.#output(Buffer.from(text));
    else this.#fill += this.#bytes.write(text, this.#fill);
  }

  /** Bytes of text, few: a loop is through with them before `set` has begun. At most 256 KiB. */
  ascii(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(length);
    const out = this.#bytes;
    const at = this.#fill;
    for (let i = 0; i < length; i++) out[at + i] = bytes[i] as number;
    this.#fill = at + length;
  }

  /** A whole number that is not negative, in decimal. */
  number(value: number): void {
    this.#reserve(MAX_DIGITS);
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    let rest = value;
    for (let at = this.#fill + digits - 1; at >= this.#fill; at--) {
      const next = Math.floor(rest / 10);
      this.#bytes[at] = DIGIT_ZERO + (rest - next * 10);
      rest = next;
    }
    this.#fill += digits;
  }

  /** The first `length` bytes of `source`, in base64. */
  base64(source: Memory, length: number): void {
    for (let start = 0; start < length; start += BASE64_PIECE) {
      const end = Math.min(start + BASE64_PIECE, length);
      this.#reserve(base64Length(end - start));
      this.#fill = putBase64(source, { start, end }, this.#memory, this.#fill);
    }
  }

  /** Hands on what is left. */
  flush(): void {
    if (this.#fill > 0) this.#output(this.#bytes.subarray(0, this.#fill));
    this.#fill = 0;
  }

  #reserve(length: number): void {
    if (length > SIZE - this.#fill) this.flush();
  }
}
