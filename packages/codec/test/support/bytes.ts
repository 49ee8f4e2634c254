import { isStorageError, type StorageError } from '@sediment/core';

/** A source whose chunks are overwritten as soon as the next one is pulled, as real sources do. */
export async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    const chunk = Uint8Array.from(bytes.subarray(start, start + size));
    yield chunk;
    chunk.fill(0xee);
  }
}

/** Cuts bytes at the given places (taken modulo the length). */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
}

/** All bytes of a stream, copied. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of stream) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

/** The StorageError that something ends in. */
export async function failureOf(work: () => unknown): Promise<StorageError> {
  try {
    await work();
  } catch (error) {
    if (isStorageError(error)) return error;
    throw error;
  }
  throw new Error('did not fail');
}

/** Deterministic bytes that compress well but not completely. */
export function sample(length: number): Buffer {
  const out = Buffer.alloc(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    out[i] = (i >> 6) % 3 === 0 ? 0x61 + (i % 7) : state >>> 28;
  }
  return out;
}

/** Text that compresses very well and is longer than one block of the small levels. */
export function lines(length: number): Buffer {
  let text = '';
  for (let i = 0; text.length < length; i++) text += `line ${i % 977} ${'-'.repeat(i % 300)}\n`;
  return Buffer.from(text.slice(0, length));
}

/** Bytes that do not compress, but for a repetition at the end. */
export function noise(length: number): Buffer {
  const out = Buffer.alloc(length);
  let state = 7;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = i > length - 2000 ? (out[i - 5000] as number) : state;
  }
  return out;
}
