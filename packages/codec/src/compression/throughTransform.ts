import type { Transform } from 'node:stream';

/**
 * Sends a stream through an engine of `node:zlib`. Each chunk is waited for, since the source may reuse its
 * buffer. Errors of the source pass through; ending early destroys the engine.
 */
export async function* throughTransform(
  source: AsyncIterable<Uint8Array>,
  engine: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  const closed = new Promise<void>((resolve) => engine.once('close', resolve));
  let failure: { readonly error: unknown } | undefined;
  const feeding = feed(source, engine, closed).catch((error: unknown) => {
    failure = { error };
    engine.destroy();
  });
  try {
    yield* engine as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  } finally {
    engine.destroy();
    await feeding;
  }
  if (failure !== undefined) throw failure.error;
}

async function feed(
  source: AsyncIterable<Uint8Array>,
  engine: Transform,
  closed: Promise<void>,
): Promise<void> {
  for await (const chunk of source) {
    if (engine.destroyed) return;
    await Promise.race([new Promise<void>((resolve) => engine.write(chunk, () => resolve())), closed]);
  }
  engine.end();
}
