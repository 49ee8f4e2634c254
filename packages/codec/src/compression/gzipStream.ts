import { createGunzip, type Gunzip } from 'node:zlib';
import { damaged, trailingGarbage, truncated } from './compressionError.ts';

const CHUNK_SIZE = 1024 * 1024;

/**
 * gzip by Node's documented stream, for versions whose zlib handle cannot be driven directly. The
 * stream joins members but stops silently at trailing bytes; comparing what it was fed with what it
 * consumed finds those.
 */
export async function* gunzipByStream(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = createGunzip({ chunkSize: CHUNK_SIZE });
  const progress = { fed: 0 };
  const closed = new Promise<void>((resolve) => engine.once('close', resolve));
  let failure: unknown;
  const feeding = feed(source, engine, closed, progress).catch((error: unknown) => {
    failure = error;
    engine.destroy();
  });
  try {
    yield* engine as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failure ?? zlibError(error, engine.bytesWritten);
  } finally {
    engine.destroy();
    await feeding;
  }
  if (failure !== undefined) throw failure;
  if (engine.bytesWritten < progress.fed) throw trailingGarbage('gzip', engine.bytesWritten);
}

/** Waits for each chunk to be consumed, since the source may reuse its buffer. */
async function feed(
  source: AsyncIterable<Uint8Array>,
  engine: Gunzip,
  closed: Promise<void>,
  progress: { fed: number },
): Promise<void> {
  for await (const chunk of source) {
    if (engine.destroyed || engine.writableEnded) return;
    progress.fed += chunk.length;
    await Promise.race([new Promise<void>((resolve) => engine.write(chunk, () => resolve())), closed]);
  }
  engine.end();
}

function zlibError(error: unknown, offset: number): Error {
  const { code, message } = error as { code?: string; message: string };
  if (code === 'Z_BUF_ERROR') return truncated('gzip', offset);
  return damaged('gzip', offset, message, error);
}
