import { constants, crc32, deflateRawSync } from 'node:zlib';

/** Magic, deflate, no flags, no mtime, XFL "fastest", OS "unknown" (RFC 1952 §2.3): Go's header. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff]);
/** A last, empty deflate block (RFC 1951 §3.2.6). */
const LAST_BLOCK = Buffer.from([0x03, 0x00]);
const SLOT = 256 * 1024;

/**
 * Synchronous gzip of one member at level 1. Each 256 KiB of text is deflated for itself and ended
 * at a byte boundary, which needs only documented, synchronous calls and costs under 1 % of size.
 */
export class GzipLevel1Writer {
  readonly #output: (bytes: Uint8Array) => void;
  readonly #slot = Buffer.allocUnsafe(SLOT);
  #fill = 0;
  #crc = 0;
  #size = 0;
  #begun = false;

  /** `output` gets the compressed bytes; they are its to keep. */
  constructor(output: (bytes: Uint8Array) => void) {
    this.#output = output;
  }

  write(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; ) {
      const length = Math.min(bytes.length - start, SLOT - this.#fill);
      this.#slot.set(bytes.subarray(start, start + length), this.#fill);
      this.#fill += length;
      start += length;
      if (this.#fill === SLOT) this.#deflate();
    }
  }

  /** Writes what is left and the trailer. Call once. */
  finish(): void {
    if (this.#fill > 0) this.#deflate();
    this.#begin();
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#crc, 0);
    trailer.writeUInt32LE(this.#size % 2 ** 32, 4);
    this.#output(Buffer.concat([LAST_BLOCK, trailer]));
  }

  #begin(): void {
    if (!this.#begun) this.#output(HEADER);
    this.#begun = true;
  }

  #deflate(): void {
    this.#begin();
    const text = this.#slot.subarray(0, this.#fill);
    this.#crc = crc32(text, this.#crc);
    this.#size += text.length;
    this.#output(deflateRawSync(text, { level: 1, finishFlush: constants.Z_SYNC_FLUSH }));
    this.#fill = 0;
  }
}
