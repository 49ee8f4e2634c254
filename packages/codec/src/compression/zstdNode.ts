import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { ByteCursor } from './byteCursor.ts';
import { damaged } from './compressionError.ts';
import { nextZstdFrame, type ZstdFrame, zstdBlocks } from './zstdFrames.ts';

const CHUNK_SIZE = 1024 * 1024;
/** 512 MiB; libzstd's own limit for streams is 128 MiB. */
const WINDOW_LOG_MAX = 29;

/** The part of `node:zlib` that the type declarations of Node 20 do not know. */
interface ZlibWithZstd {
  createZstdDecompress(options: { chunkSize: number; params: Record<number, number> }): Transform;
  readonly constants: { readonly ZSTD_d_windowLogMax: number };
}

/**
 * zstd by `node:zlib` (Node 22.15 and later). Each frame gets a decoder of its own: Node's stream
 * does not tell where a frame ends, and what it makes of bytes behind one differs between versions.
 */
export async function* decodeZstdByNode(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new ByteCursor(source);
  try {
    for (;;) {
      const frame = await nextZstdFrame(input);
      if (frame === undefined) return;
      yield* decodeFrame(input, frame);
    }
  } finally {
    await input.close();
  }
}

async function* decodeFrame(
  input: ByteCursor,
  frame: ZstdFrame,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { createZstdDecompress, constants } = zlib as unknown as ZlibWithZstd;
  const engine = createZstdDecompress({
    chunkSize: CHUNK_SIZE,
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
  });
  const closed = new Promise<void>((resolve) => engine.once('close', resolve));
  let failure: unknown;
  const feeding = feed(input, frame, engine, closed).catch((error: unknown) => {
    failure = error;
    engine.destroy();
  });
  try {
    yield* engine as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failure ?? damaged('zstd', frame.offset, (error as Error).message, error);
  } finally {
    engine.destroy();
    await feeding;
  }
  if (failure !== undefined) throw failure;
}

async function feed(
  input: ByteCursor,
  frame: ZstdFrame,
  engine: Transform,
  closed: Promise<void>,
): Promise<void> {
  engine.write(frame.header);
  for await (const block of zstdBlocks(input, frame)) {
    if (engine.destroyed) return;
    await Promise.race([new Promise<void>((resolve) => engine.write(block.bytes, () => resolve())), closed]);
  }
  engine.end();
}
