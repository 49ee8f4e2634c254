import * as zlib from 'node:zlib';
import type { Decoder } from './decoder.ts';

/** The best zstd decoder this package has: Node's own (22.15 and later), else JavaScript. */
export async function chooseZstdDecoder(): Promise<Decoder> {
  if ('createZstdDecompress' in zlib) return (await import('./zstdNode.ts')).decodeZstdByNode;
  return (await import('./zstdPortable.ts')).decodeZstdPortably;
}
