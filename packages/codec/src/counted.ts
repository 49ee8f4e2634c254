import type { Hasher } from '@sediment/core';

/** A stream that counts itself. */
export interface CountedStream extends AsyncIterable<Uint8Array> {
  /** Bytes that have passed so far; the length of the stream once it has ended. */
  readonly size: number;
}

/** Counts the bytes of a stream as they pass, and hashes them if a hasher is given. */
export function counted(source: AsyncIterable<Uint8Array>, hasher?: Hasher): CountedStream {
  let size = 0;
  return {
    get size() {
      return size;
    },
    async *[Symbol.asyncIterator]() {
      for await (const chunk of source) {
        size += chunk.length;
        hasher?.update(chunk);
        yield chunk;
      }
    },
  };
}
