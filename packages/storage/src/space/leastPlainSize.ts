import { closeSync, openSync, readSync } from 'node:fs';
import { detectCompression } from '@sediment/codec';
import { errnoCode } from '@sediment/core';
import type { BlobRange } from '../unpack/unpackJob.ts';

const MAGIC_LENGTH = 6;
const TRAILER_LENGTH = 4;
/** More than this no deflate stream can grow (RFC 1951: 258 bytes from two bits). */
const MOST_GROWTH = 1032;
/** Data that cannot be compressed become hardly longer when one tries: by headers and trailers, and a little. */
const LEAST_GROWTH = 0.95;
const ENVELOPE_LENGTH = 128;

/**
 * How many bytes there are at least when a blob is decompressed, without reading it: for a plain one its length;
 * for gzip what its last bytes say (RFC 1952: the length of the last member modulo 2^32), if that is more than about its own
 * length, as for other kinds. 0 for a blob that cannot be read: whoever reads it in earnest says why.
 */
export function leastPlainSize(blob: BlobRange): number {
  const { length } = blob;
  const ends = readEnds(blob);
  if (ends === undefined) return 0;
  const compression = detectCompression(ends.head);
  if (compression === 'none') return length;
  const least = Math.max(0, Math.floor(length * LEAST_GROWTH) - ENVELOPE_LENGTH);
  const told = compression === 'gzip' ? ends.trailer.readUInt32LE() : 0;
  // What no blob of this length can hold is the trailer of a damaged one.
  return told <= length * MOST_GROWTH ? Math.max(least, told) : least;
}

function readEnds({ path, offset, length }: BlobRange): { head: Buffer; trailer: Buffer } | undefined {
  const head = Buffer.alloc(MAGIC_LENGTH);
  const trailer = Buffer.alloc(TRAILER_LENGTH);
  try {
    const fd = openSync(path, 'r');
    try {
      readSync(fd, head, 0, Math.min(MAGIC_LENGTH, length), offset);
      readSync(
        fd,
        trailer,
        0,
        Math.min(TRAILER_LENGTH, length),
        offset + Math.max(0, length - TRAILER_LENGTH),
      );
    } finally {
      closeSync(fd);
    }
    return { head, trailer };
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
    return undefined;
  }
}
