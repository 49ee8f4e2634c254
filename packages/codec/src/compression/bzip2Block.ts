/**
 * One block of bzip2. There is no standard; source: the documentation of bzip2 1.0.8 and the
 * "BZIP2: Format Specification" by Joe Tsai. Strict as Go's `compress/bzip2`.
 */
import type { BitReader } from './bitReader.ts';
import { Bzip2Huffman } from './bzip2Huffman.ts';

const GROUP_SIZE = 50;
const RUN_A = 0;
const RUN_B = 1;

/** Thrown for data that cannot be right; the caller adds the offset. */
export class Bzip2FormatError extends Error {}

/** A decoded block, still run-length coded: walk `links` from `start`, `length` times. */
export interface Bzip2Block {
  readonly crc: number;
  readonly length: number;
  /** First link to follow. */
  readonly start: number;
}

/**
 * Decodes the block behind its magic number into `links`: each entry holds a byte in its low 8 bits
 * and the index of the next entry above them. `links` has room for the largest block of the stream.
 */
export function decodeBzip2Block(bits: BitReader, links: Uint32Array): Bzip2Block {
  const crc = bits.take32();
  if (bits.take(1) !== 0) throw new Bzip2FormatError('randomised blocks of bzip2 0.9 are not supported');
  const origin = bits.take(24);
  const bytes = readUsedBytes(bits);
  const { selectors, codes } = readCodes(bits, bytes.length + 2);
  const length = readSymbols(bits, { bytes, selectors, codes, links });
  if (origin >= length) throw new Bzip2FormatError('the origin is outside of the block');
  linkUp(links, length);
  return { crc, length, start: (links[origin] as number) >>> 8 };
}

function readUsedBytes(bits: BitReader): Uint8Array {
  const ranges = bits.take(16);
  const used: number[] = [];
  for (let high = 0; high < 16; high++) {
    if ((ranges & (0x8000 >> high)) === 0) continue;
    const low = bits.take(16);
    for (let i = 0; i < 16; i++) if ((low & (0x8000 >> i)) !== 0) used.push(high * 16 + i);
  }
  if (used.length === 0) throw new Bzip2FormatError('a block uses no bytes');
  return Uint8Array.from(used);
}

function readCodes(bits: BitReader, symbols: number): { selectors: Uint8Array; codes: Bzip2Huffman[] } {
  const groups = bits.take(3);
  if (groups < 2 || groups > 6) throw new Bzip2FormatError(`${groups} Huffman codes instead of 2 to 6`);
  const selectors = new Uint8Array(bits.take(15));
  const order = [0, 1, 2, 3, 4, 5].slice(0, groups);
  for (let i = 0; i < selectors.length; i++) {
    let index = 0;
    while (bits.take(1) === 1)
      if (++index >= groups) throw new Bzip2FormatError('a selector is out of range');
    const [moved = 0] = order.splice(index, 1);
    order.unshift(moved);
    selectors[i] = moved;
  }
  const codes = order.map(() => new Bzip2Huffman(readLengths(bits, symbols)));
  return { selectors, codes };
}

function readLengths(bits: BitReader, symbols: number): Uint8Array {
  const lengths = new Uint8Array(symbols);
  let length = bits.take(5);
  for (let i = 0; i < symbols; i++) {
    for (;;) {
      if (length < 1 || length > 20) throw new Bzip2FormatError('a code length is out of range');
      if (bits.take(1) === 0) break;
      length += bits.take(1) === 0 ? 1 : -1;
    }
    lengths[i] = length;
  }
  return lengths;
}

interface SymbolTables {
  readonly bytes: Uint8Array;
  readonly selectors: Uint8Array;
  readonly codes: readonly Bzip2Huffman[];
  readonly links: Uint32Array;
}

/** Undoes Huffman, run-length and move-to-front coding; returns how many bytes were put into `links`. */
function readSymbols(bits: BitReader, tables: SymbolTables): number {
  const { bytes, selectors, codes, links } = tables;
  const recent = Uint8Array.from(bytes);
  const endOfBlock = bytes.length + 1;
  let length = 0;
  let run = 0;
  let runBit = 1;
  for (let group = 0; ; group++) {
    const code = codes[selectors[group] ?? -1];
    if (code === undefined) throw new Bzip2FormatError('there are fewer selectors than symbols');
    for (let i = 0; i < GROUP_SIZE; i++) {
      const symbol = code.next(bits);
      if (symbol === RUN_A || symbol === RUN_B) {
        run += runBit << symbol;
        runBit *= 2;
        if (run > links.length) throw new Bzip2FormatError('a run is longer than a block');
        continue;
      }
      if (run > 0) {
        if (length + run > links.length) throw new Bzip2FormatError('a block is too long');
        links.fill(recent[0] as number, length, length + run);
        length += run;
        run = 0;
        runBit = 1;
      }
      if (symbol === endOfBlock) return length;
      if (symbol < 0 || bits.overrun) throw new Bzip2FormatError('bits are no Huffman code');
      if (length >= links.length) throw new Bzip2FormatError('a block is too long');
      const byte = recent[symbol - 1] as number;
      recent.copyWithin(1, 0, symbol - 1);
      recent[0] = byte;
      links[length++] = byte;
    }
  }
}

/** Inverts the Burrows-Wheeler transform: puts the index of each entry's successor above its byte. */
function linkUp(links: Uint32Array, length: number): void {
  const starts = new Uint32Array(256);
  for (let i = 0; i < length; i++) {
    const byte = (links[i] as number) & 0xff;
    starts[byte] = (starts[byte] as number) + 1;
  }
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = starts[byte] as number;
    starts[byte] = sum;
    sum += count;
  }
  for (let i = 0; i < length; i++) {
    const byte = (links[i] as number) & 0xff;
    const place = starts[byte] as number;
    starts[byte] = place + 1;
    links[place] = (links[place] as number) | (i << 8);
  }
}
