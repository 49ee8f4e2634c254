import { openDecompressed } from '@sediment/codec';
import type { BlobRange, OpenBytes } from '@sediment/storage';
import { rangeBytes } from './rangeBytes.ts';

interface Readable {
  readonly open: OpenBytes;
  readonly blob?: BlobRange;
  readonly range?: BlobRange;
}

/** The bytes of a layer or blob, read as a stream; where they lie in a file, they must be those of the range. */
export async function layerBytes({ open, blob, range }: Readable): Promise<Buffer> {
  const bytes = await collect(open());
  const place = blob ?? range;
  if (place !== undefined && !rangeBytes(place).equals(bytes)) {
    throw new Error(`${place.path}: the range has other bytes than the stream`);
  }
  return bytes;
}

/** The same, decompressed. */
export async function plainBytes({ open }: Readable): Promise<Buffer> {
  return await collect((await openDecompressed(open())).bytes);
}

export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
