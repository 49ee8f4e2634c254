import { BitReader } from './bitReader.ts';
import { ByteCursor } from './byteCursor.ts';
import { Bzip2FormatError, decodeBzip2Block } from './bzip2Block.ts';
import { Bzip2Output } from './bzip2Output.ts';
import { damaged, trailingGarbage, truncated } from './compressionError.ts';

const STREAM_HEADER = 4;
const BLOCK_MAGIC = 0x3141_5926_5359;
const END_MAGIC = 0x1772_4538_5090;
const LEVEL_SIZE = 100_000;
/** Upper bound of what a block takes: 20 bits per symbol, and its tables with 32767 selectors. */
const BYTES_PER_SYMBOL = 20 / 8;
const TABLE_BYTES = 32 * 1024;

/**
 * Decoder for bzip2: any number of streams one after the other, all checksums verified. Works block
 * by block (at most 900 kB), with about 8 MB of memory.
 */
export async function* decodeBzip2(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new ByteCursor(source);
  try {
    const window = new InputWindow(input);
    for (let first = true; first || (await window.fill(1)) > 0; first = false) {
      const level = await readStreamHeader(window, first);
      yield* decodeStream(window, level);
    }
  } finally {
    await input.close();
  }
}

async function readStreamHeader(window: InputWindow, first: boolean): Promise<number> {
  const available = await window.fill(STREAM_HEADER);
  const text = window.bytes.toString('latin1', 0, Math.min(available, STREAM_HEADER));
  if (!'BZh'.startsWith(text.slice(0, 3)) || !/^[1-9]?$/.test(text.slice(3))) {
    throw first
      ? damaged('bzip2', window.offset, 'no bzip2 header')
      : trailingGarbage('bzip2', window.offset);
  }
  if (available < STREAM_HEADER) throw truncated('bzip2', window.offset + available);
  window.drop(STREAM_HEADER);
  return Number(text[3]);
}

async function* decodeStream(
  window: InputWindow,
  level: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const links = new Uint32Array(level * LEVEL_SIZE);
  const output = new Bzip2Output(links);
  let streamCrc = 0;
  /** Blocks are not aligned to bytes. */
  let bitOffset = 0;
  for (;;) {
    await window.fill(Math.ceil(links.length * BYTES_PER_SYMBOL) + TABLE_BYTES);
    const bits = new BitReader(window.bytes);
    if (bitOffset > 0) bits.take(bitOffset);
    const magic = bits.take(24) * 2 ** 24 + bits.take(24);
    if (magic === END_MAGIC) {
      const crc = bits.take32();
      if (bits.overrun) throw truncated('bzip2', window.end);
      if (crc !== streamCrc)
        throw damaged('bzip2', window.offset, 'the checksum of the stream does not match');
      const { bytes, bits: rest } = bits.position;
      window.drop(rest === 0 ? bytes : bytes + 1);
      return;
    }
    if (bits.overrun) throw truncated('bzip2', window.end);
    if (magic !== BLOCK_MAGIC) throw damaged('bzip2', window.offset, 'no block where one should begin');
    const block = decodeBlock(bits, links, window);
    yield* output.expand(block);
    if (output.crc !== block.crc)
      throw damaged('bzip2', window.offset, 'the checksum of a block does not match');
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ block.crc) >>> 0;
    const { bytes, bits: rest } = bits.position;
    window.drop(bytes);
    bitOffset = rest;
  }
}

function decodeBlock(bits: BitReader, links: Uint32Array, window: InputWindow) {
  try {
    const block = decodeBzip2Block(bits, links);
    if (bits.overrun) throw truncated('bzip2', window.end);
    return block;
  } catch (error) {
    if (!(error instanceof Bzip2FormatError)) throw error;
    throw bits.overrun
      ? truncated('bzip2', window.end)
      : damaged('bzip2', window.offset, error.message, error);
  }
}

/** The next bytes of the input in one buffer, as many as a block can need. */
class InputWindow {
  readonly #input: ByteCursor;
  #buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #dropped = 0;

  constructor(input: ByteCursor) {
    this.#input = input;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Offset of the first byte of the window in the stream. */
  get offset(): number {
    return this.#dropped;
  }

  get end(): number {
    return this.#dropped + this.#end - this.#start;
  }

  /** Makes `size` bytes available, fewer only at the end of the input; returns how many there are. */
  async fill(size: number): Promise<number> {
    if (this.#end - this.#start < size) this.#makeRoom(size);
    while (this.#end - this.#start < size && (await this.#input.more())) {
      const part = Math.min(this.#input.available, this.#buffer.length - this.#end);
      this.#input.chunk.copy(this.#buffer, this.#end, this.#input.offset, this.#input.offset + part);
      this.#input.offset += part;
      this.#end += part;
    }
    return this.#end - this.#start;
  }

  drop(length: number): void {
    this.#start += length;
    this.#dropped += length;
  }

  #makeRoom(size: number): void {
    const held = this.bytes;
    const room = this.#buffer.length < size ? Buffer.allocUnsafeSlow(size) : this.#buffer;
    held.copy(room);
    this.#buffer = room;
    this.#end = held.length;
    this.#start = 0;
  }
}
