import { readFileSync } from 'node:fs';
import type { BlobRange } from '@sediment/storage';

/** The bytes of a range, by its path, as a worker thread would read them. */
export function rangeBytes({ path, offset, length }: BlobRange): Buffer {
  return readFileSync(path).subarray(offset, offset + length);
}
