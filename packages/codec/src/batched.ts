const BATCH_BYTES = 256 * 1024;

/**
 * Joins small chunks, so that what follows is done once for many of them: an archive of small files comes in pieces of
 * some hundred bytes. Chunks may be valid until the next one is pulled only, and so are those of the result.
 */
export async function* batched(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const batch = Buffer.allocUnsafe(BATCH_BYTES);
  let length = 0;
  for await (const chunk of source) {
    if (length > 0 && length + chunk.length > BATCH_BYTES) {
      yield batch.subarray(0, length);
      length = 0;
    }
    if (chunk.length >= BATCH_BYTES) yield chunk;
    else {
      batch.set(chunk, length);
      length += chunk.length;
    }
  }
  if (length > 0) yield batch.subarray(0, length);
}
