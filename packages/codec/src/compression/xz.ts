import { isStorageError } from '@sediment/core';
import xzDecompress from 'xz-decompress';
import { ByteCursor } from './byteCursor.ts';
import { damaged } from './compressionError.ts';
import { nextXzStream, xzStreamBytes } from './xzStreams.ts';

/**
 * Decoder for xz: any number of streams with zero padding between them. LZMA2 is decoded by xz-embedded
 * in WebAssembly. Only one xz stream is decoded at a time in a thread; a second one waits for it.
 */
export async function* decodeXz(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new ByteCursor(source);
  try {
    for (let first = true; await nextXzStream(input, first); first = false) {
      yield* decodeStream(input, first);
    }
  } finally {
    await input.close();
  }
}

async function* decodeStream(input: ByteCursor, first: boolean): AsyncGenerator<Uint8Array, void, undefined> {
  const start = input.position;
  const bytes = xzStreamBytes(input, first);
  let failure: unknown;
  const supply = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await bytes.next();
          if (next.done === true) controller.close();
          else controller.enqueue(next.value);
        } catch (error) {
          failure = error;
          throw error;
        }
      },
    },
    { highWaterMark: 0 }, // no reading ahead: a chunk is valid until the next one is pulled
  );
  const plain = new xzDecompress.XzReadableStream(supply);
  try {
    yield* plain as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (failure !== undefined || isStorageError(error)) throw failure ?? error;
    throw damaged('xz', start, (error as Error).message, error);
  }
}
