import { crc32 } from 'node:zlib';
import { damaged } from './compressionError.ts';

const LZMA2 = 0x21;
const HAS_PACKED_SIZE = 0x40;
const HAS_SIZE = 0x80;
const RESERVED = 0x3c;

export interface XzBlockHeader {
  readonly dictionarySize: number;
  /** Sizes of the block, if the header tells them. */
  readonly packedSize: number | undefined;
  readonly size: number | undefined;
}

/**
 * Parses a block header (".xz File Format" §3.1), given whole. Like upstream's decoder, this one
 * knows LZMA2 and no other filter.
 */
export function parseXzBlockHeader(bytes: Buffer, offset: number): XzBlockHeader {
  const end = bytes.length - 4;
  if (bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))) {
    throw damaged('xz', offset, 'the checksum of a block header does not match');
  }
  const flags = bytes[1] as number;
  if ((flags & RESERVED) !== 0) throw damaged('xz', offset, 'a block header has reserved bits set');
  const numbers = new NumberReader(bytes.subarray(0, end), 2, offset);
  const packedSize = (flags & HAS_PACKED_SIZE) === 0 ? undefined : numbers.next();
  const size = (flags & HAS_SIZE) === 0 ? undefined : numbers.next();
  const filter = numbers.next();
  if ((flags & 3) !== 0 || filter !== LZMA2) {
    throw damaged('xz', offset, `filter 0x${filter.toString(16)} is not supported, only LZMA2 alone is`);
  }
  if (numbers.next() !== 1) throw damaged('xz', offset, 'LZMA2 has properties of a wrong length');
  const dictionarySize = dictionarySizeOf(numbers.next(), offset);
  return { dictionarySize, packedSize, size };
}

/** Reads variable-length integers: 7 bits per byte, the lowest first (§1.2). */
export class NumberReader {
  readonly #bytes: Buffer;
  readonly #offset: number;
  position: number;

  constructor(bytes: Buffer, position: number, offset: number) {
    this.#bytes = bytes;
    this.position = position;
    this.#offset = offset;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 63; scale *= 128) {
      const byte = this.#bytes[this.position++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw damaged('xz', this.#offset, 'a number is too long');
  }
}

/** §5.3.1: a mantissa of 2 or 3 and an exponent; the largest value means 4 GiB. */
function dictionarySizeOf(bits: number, offset: number): number {
  if (bits > 40) throw damaged('xz', offset, 'the dictionary size is not valid');
  return bits === 40 ? 2 ** 32 - 1 : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11);
}
