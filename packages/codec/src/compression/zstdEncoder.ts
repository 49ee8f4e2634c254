import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Encoder } from './encoder.ts';
import { throughTransform } from './throughTransform.ts';

/** The part of `node:zlib` that the type declarations of Node 20 do not know. */
interface ZlibWithZstd {
  createZstdCompress?(options?: { readonly params?: Readonly<Record<number, number>> }): Transform;
}

/** `ZSTD_c_compressionLevel` */
const LEVEL_PARAMETER = 100;

/** zstd by `node:zlib` (Node 22.15 and later); undefined before. */
export function nodeZstdEncoder(): Encoder | undefined {
  const { createZstdCompress } = zlib as ZlibWithZstd;
  if (createZstdCompress === undefined) return undefined;
  return (source, { level } = {}) =>
    throughTransform(
      source,
      createZstdCompress(level === undefined ? {} : { params: { [LEVEL_PARAMETER]: level } }),
    );
}
