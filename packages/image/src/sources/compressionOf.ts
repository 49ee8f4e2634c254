import { detectCompression } from '@sediment/codec';
import type { Compression } from '@sediment/core';
import { readHead } from '../archives/fileBytes.ts';
import type { LayerSource } from './imageSource.ts';

/** Enough for every magic number. */
const HEAD_LENGTH = 16;

/** How the bytes of a layer are compressed, by their first ones: what media types say may be wrong. */
export async function compressionOf({ blob, open }: LayerSource, signal?: AbortSignal): Promise<Compression> {
  if (blob !== undefined) return detectCompression(await readHead(blob));
  let head = Buffer.alloc(0);
  for await (const chunk of open(signal)) {
    head = Buffer.concat([head, chunk.subarray(0, HEAD_LENGTH)]);
    if (head.length >= HEAD_LENGTH) break;
  }
  return detectCompression(head);
}
