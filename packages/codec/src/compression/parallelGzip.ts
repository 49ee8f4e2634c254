import { crc32, deflateRaw, constants as zlibConstants } from 'node:zlib';
import { type BlockSlot, workOnBlocks } from './blockQueue.ts';
import { type DeflateTurns, deflateTurns } from './deflateTurns.ts';

export interface ParallelGzipOptions {
  /** 1 to 9; default: {@link DEFAULT_LEVEL}. */
  readonly level?: number;
  /** Who may deflate when; default: all streams of the process take turns. */
  readonly turns?: DeflateTurns;
}

/** Archives are a little smaller than those of Go's programs, in two thirds of the time of zlib's own default, 6. */
export const DEFAULT_LEVEL = 4;

/** What is deflated at a time, without knowing what comes of the bytes before. */
export const BLOCK_BYTES = 512 * 1024;
/** How far back deflate refers (RFC 1951 §2). */
const WINDOW_BYTES = 32 * 1024;

/** Magic, deflate, no flags, no time, no hint of the level, OS "unknown" (RFC 1952 §2.3), as Go's programs have it. */
const HEADER = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/** A last, empty deflate block (RFC 1951 §3.2.6). */
const LAST_BLOCK = [0x03, 0x00];

/**
 * Gzip of one member, compressed by several threads of Node's pool, as pigz does: each block is deflated with the end of
 * the one before as its dictionary, and ends at a byte. What comes out depends on the bytes and the level alone, not
 * on chunks, threads or their order. Chunks of the result are the caller's to keep.
 *
 * Errors of the source pass through. Whoever ends it early leaves the blocks that are being deflated to themselves,
 * which takes some milliseconds; no others are begun.
 */
export async function* parallelGzip(
  source: AsyncIterable<Uint8Array>,
  { level = DEFAULT_LEVEL, turns = deflateTurns }: ParallelGzipOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const deflater = new BlockDeflater(level);
  const deflated = workOnBlocks<WindowSlot>(source, {
    turns,
    newSlot,
    begin: (slot, length) => deflater.begin(slot, length),
  });
  let isBegun = false;
  for await (const piece of deflated) {
    if (!isBegun) yield Uint8Array.from(HEADER);
    isBegun = true;
    yield piece;
  }
  yield deflater.end();
}

/** A block, behind the room for the end of the one before: both are read from one place. */
interface WindowSlot extends BlockSlot {
  readonly buffer: Buffer;
}

function newSlot(): WindowSlot {
  const buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES + BLOCK_BYTES);
  return { buffer, block: buffer.subarray(WINDOW_BYTES) };
}

/** What the blocks of one stream have in common: windows, and the check sum. */
class BlockDeflater {
  readonly #level: number;
  #before: WindowSlot | undefined;
  #crc = 0;
  #size = 0;
  #isFinished = false;

  constructor(level: number) {
    this.#level = level;
  }

  /** Only a block that is not full is known to be the last one. */
  begin(slot: WindowSlot, length: number): () => Promise<Uint8Array> {
    const block = slot.block.subarray(0, length);
    this.#crc = crc32(block, this.#crc);
    this.#size += length;
    const window = this.#windowOf(slot);
    this.#isFinished = length < BLOCK_BYTES;
    const finishFlush = this.#isFinished ? zlibConstants.Z_FINISH : zlibConstants.Z_SYNC_FLUSH;
    return () => this.#deflate(block, window, finishFlush);
  }

  /** The end of the deflate stream, if the last block was full, and of the member. */
  end(): Buffer {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#crc, 0);
    trailer.writeUInt32LE(this.#size % 2 ** 32, 4);
    return this.#isFinished ? trailer : Buffer.concat([Uint8Array.from(LAST_BLOCK), trailer]);
  }

  /** The block before was full, and is not overwritten before this one was begun. */
  #windowOf(slot: WindowSlot): Buffer | undefined {
    const before = this.#before;
    this.#before = slot;
    if (before === undefined) return undefined;
    const window = slot.buffer.subarray(0, WINDOW_BYTES);
    before.block.copy(window, 0, BLOCK_BYTES - WINDOW_BYTES);
    return window;
  }

  #deflate(block: Buffer, window: Buffer | undefined, finishFlush: number): Promise<Uint8Array> {
    const options = {
      level: this.#level,
      finishFlush,
      // What does not fit comes in several pieces, and is joined.
      chunkSize: BLOCK_BYTES / 2,
      ...(window === undefined ? {} : { dictionary: window }),
    };
    return new Promise((resolve, reject) => {
      deflateRaw(block, options, (error, result) => (error === null ? resolve(result) : reject(error)));
    });
  }
}
