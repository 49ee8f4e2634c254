import { crc32, deflateRaw, constants as zlibConstants } from 'node:zlib';
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
  const queue = new DeflateQueue(level, turns);
  let crc = 0;
  let size = 0;
  try {
    for await (const chunk of source) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      for (let start = 0; start < chunk.length; ) {
        start += queue.add(chunk, start);
        while (queue.isFull) yield await queue.next();
      }
    }
    queue.end();
    while (queue.length > 0) yield await queue.next();
    yield trailer(crc, size);
  } finally {
    queue.stop();
  }
}

function trailer(crc: number, size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(crc, 0);
  bytes.writeUInt32LE(size % 2 ** 32, 4);
  return bytes;
}

/** The blocks of one stream that are being deflated, in their order; the first piece is the header. */
class DeflateQueue {
  readonly #level: number;
  readonly #turns: DeflateTurns;
  readonly #pending: Promise<Uint8Array>[] = [Promise.resolve(Uint8Array.from(HEADER))];
  /** Buffers of blocks that were deflated, to be used again. */
  readonly #free: Buffer[] = [];
  #buffer = newBuffer();
  /** How much of the buffer is window and block. */
  #windowLength = 0;
  #length = 0;
  #isStopped = false;

  constructor(level: number, turns: DeflateTurns) {
    this.#level = level;
    this.#turns = turns;
  }

  get length(): number {
    return this.#pending.length;
  }

  /** One more than can be deflated at a time, so that nobody waits while the result is taken away. */
  get isFull(): boolean {
    return this.#pending.length > this.#turns.width;
  }

  /** Copies what fits into the block that is being filled. @returns how much that was */
  add(chunk: Uint8Array, start: number): number {
    const end = Math.min(chunk.length, start + BLOCK_BYTES - this.#length);
    this.#buffer.set(chunk.subarray(start, end), this.#windowLength + this.#length);
    this.#length += end - start;
    if (this.#length === BLOCK_BYTES) this.#begin(zlibConstants.Z_SYNC_FLUSH);
    return end - start;
  }

  end(): void {
    if (this.#length > 0) this.#begin(zlibConstants.Z_FINISH);
    else this.#pending.push(Promise.resolve(Uint8Array.from(LAST_BLOCK)));
  }

  /** The first piece. */
  async next(): Promise<Uint8Array> {
    return await (this.#pending.shift() as Promise<Uint8Array>);
  }

  /** What is under way ends unheard. */
  stop(): void {
    this.#isStopped = true;
  }

  #begin(finishFlush: number): void {
    const buffer = this.#buffer;
    const start = this.#windowLength;
    const end = start + this.#length;
    const deflated = this.#turns.take(async () => {
      if (this.#isStopped) return Uint8Array.from(LAST_BLOCK);
      return await this.#deflate(buffer.subarray(0, start), buffer.subarray(start, end), finishFlush);
    });
    const freed = deflated.finally(() => this.#free.push(buffer));
    // It may fail before its turn to be heard comes, or be left unheard.
    freed.catch(() => undefined);
    this.#pending.push(freed);
    // The window of the next block lies before it, so both are read from one place.
    const next = this.#free.pop() ?? newBuffer();
    this.#windowLength = Math.min(end, WINDOW_BYTES);
    buffer.copy(next, 0, end - this.#windowLength, end);
    this.#buffer = next;
    this.#length = 0;
  }

  #deflate(window: Buffer, block: Buffer, finishFlush: number): Promise<Uint8Array> {
    const options = {
      level: this.#level,
      finishFlush,
      // What does not fit comes in several pieces, and is joined.
      chunkSize: BLOCK_BYTES / 2,
      ...(window.length === 0 ? {} : { dictionary: window }),
    };
    return new Promise((resolve, reject) => {
      deflateRaw(block, options, (error, result) => (error === null ? resolve(result) : reject(error)));
    });
  }
}

function newBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(WINDOW_BYTES + BLOCK_BYTES);
}
