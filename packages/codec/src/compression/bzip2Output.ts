import type { Bzip2Block } from './bzip2Block.ts';

const OUTPUT_SIZE = 256 * 1024;
/** A run is coded as four equal bytes and a count of up to 255 more. */
const RUN_PREFIX = 4;
const MAX_RUN = 255;

/** CRC-32 with the highest bit first (polynomial 0x04c11db7), unlike the one of gzip. */
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c1_1db7 : value << 1;
  return value;
});

/** Turns decoded blocks into plain bytes: follows the links, expands runs, sums up. */
export class Bzip2Output {
  readonly #links: Uint32Array;
  readonly #buffer = Buffer.allocUnsafeSlow(OUTPUT_SIZE);
  #fill = 0;
  #crc = -1;

  constructor(links: Uint32Array) {
    this.#links = links;
  }

  /** Checksum of the bytes of the last block, unsigned. */
  get crc(): number {
    return ~this.#crc >>> 0;
  }

  /** Yields the content of a block in reused chunks. */
  *expand(block: Bzip2Block): Generator<Uint8Array, void, undefined> {
    this.#crc = -1;
    let next = block.start;
    let previous = -1;
    let equal = 0;
    for (let i = 0; i < block.length; i++) {
      if (this.#fill + MAX_RUN > OUTPUT_SIZE) yield this.#flush();
      const link = this.#links[next] as number;
      const byte = link & 0xff;
      next = link >>> 8;
      if (equal === RUN_PREFIX) {
        for (let left = byte; left > 0; left--) this.#put(previous);
        equal = 0;
        previous = -1;
      } else {
        equal = byte === previous ? equal + 1 : 1;
        previous = byte;
        this.#put(byte);
      }
    }
    if (this.#fill > 0) yield this.#flush();
  }

  #put(byte: number): void {
    this.#buffer[this.#fill++] = byte;
    this.#crc = (this.#crc << 8) ^ (CRC_TABLE[(this.#crc >>> 24) ^ byte] as number);
  }

  #flush(): Uint8Array {
    const bytes = this.#buffer.subarray(0, this.#fill);
    this.#fill = 0;
    return bytes;
  }
}
