import type { Compression } from '@sediment/core';

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

/** Bytes that {@link detectCompression} needs to tell all kinds apart. */
export const DETECTION_BYTES = 6;

/**
 * The kind of compression, from the first bytes of a stream. Anything unknown, or too short for a
 * magic number, is `none`; a zstd stream that starts with a skippable frame is too, as upstream.
 */
export function detectCompression(head: Uint8Array): Compression {
  const found = MAGIC.find(([, magic]) => magic.every((byte, i) => head[i] === byte));
  return found === undefined ? 'none' : found[0];
}
