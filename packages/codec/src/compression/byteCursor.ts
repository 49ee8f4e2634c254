/**
 * Reads a chunked source as one run of bytes. What is in the current chunk is available without
 * waiting; the chunk belongs to the source and is replaced by `more`.
 */
export class ByteCursor {
  readonly #iterator: AsyncIterator<Uint8Array>;
  /** The current chunk; bytes before `offset` are consumed. */
  chunk: Buffer = Buffer.alloc(0);
  offset = 0;
  #before = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Bytes consumed so far, of all chunks. */
  get position(): number {
    return this.#before + this.offset;
  }

  get available(): number {
    return this.chunk.length - this.offset;
  }

  /** Makes at least one byte available; false at the end of the source. */
  async more(): Promise<boolean> {
    while (this.available === 0 && !this.#ended) {
      const next = await this.#iterator.next();
      this.#before += this.chunk.length;
      this.offset = 0;
      this.#ended = next.done === true;
      const bytes = next.done === true ? new Uint8Array(0) : next.value;
      this.chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.available > 0;
  }

  /** The next `length` bytes if the current chunk holds them, else undefined. Valid until `more`. */
  takeAvailable(length: number): Buffer | undefined {
    if (this.available < length) return undefined;
    this.offset += length;
    return this.chunk.subarray(this.offset - length, this.offset);
  }

  /** The next `length` bytes across chunks; fewer only at the end of the source. */
  async take(length: number): Promise<Buffer> {
    const whole = this.takeAvailable(length);
    if (whole !== undefined) return whole;
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0 && (await this.more()); ) {
      const part = this.takeAvailable(Math.min(missing, this.available)) as Buffer;
      parts.push(Buffer.from(part));
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** Tells the source that no more bytes are wanted. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#iterator.return?.();
    this.#ended = true;
  }
}
