/** The largest piece that is written between two calls of `makeRoom`: one LZMA2 chunk. */
const MAX_CHUNK = 2 * 1024 * 1024;
const SLACK = 2 * MAX_CHUNK;
const INITIAL = 1024 * 1024;

/**
 * The dictionary: the last `size` bytes of output, in one buffer that is written from front to back
 * and moved to the front when it is full. It grows with the data, whatever size a header claims.
 */
export class LzmaWindow {
  #buffer: Buffer;
  readonly #size: number;
  /** Where the next byte goes. */
  position = 0;
  /** Bytes since the dictionary was reset. */
  total = 0;

  constructor(size: number) {
    this.#size = size;
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(INITIAL, size + SLACK));
  }

  /** Forgets everything before. */
  reset(): void {
    this.total = 0;
  }

  /** Call before writing `length` bytes; positions and views from before become invalid. */
  makeRoom(length: number): void {
    if (this.position + length <= this.#buffer.length) return;
    const kept = Math.min(this.position, this.#size, this.total);
    const needed = kept + length;
    const old = this.#buffer;
    if (needed > old.length) {
      const wanted = Math.max(needed, Math.min(old.length * 2, this.#size + SLACK));
      this.#buffer = Buffer.allocUnsafeSlow(wanted);
    }
    old.copy(this.#buffer, 0, this.position - kept, this.position);
    this.position = kept;
  }

  put(byte: number): void {
    this.#buffer[this.position++] = byte;
    this.total++;
  }

  append(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.position);
    this.position += bytes.length;
    this.total += bytes.length;
  }

  /** The byte `distance` (1 for the last one) back; 0 before the first. */
  back(distance: number): number {
    return distance > this.total ? 0 : (this.#buffer[this.position - distance] as number);
  }

  /** Whether there is a byte `distance` back. */
  has(distance: number): boolean {
    return distance <= this.total && distance <= this.#size;
  }

  /** Repeats `length` bytes from `distance` back; the two may overlap. */
  copy(distance: number, length: number): void {
    const buffer = this.#buffer;
    let to = this.position;
    for (let end = to + length; to < end; to++) buffer[to] = buffer[to - distance] as number;
    this.position = to;
    this.total += length;
  }

  /** A view of the last `length` bytes. */
  last(length: number): Buffer {
    return this.#buffer.subarray(this.position - length, this.position);
  }
}
