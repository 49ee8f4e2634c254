import { addressOf } from './address.ts';
import { loadLibdeflate } from './libdeflateLibrary.ts';

/** CRC-32 (RFC 1952 §8) of more bytes; `value` is that of the bytes before them, 0 at the start. */
export type Crc32 = (bytes: Uint8Array, value: number) => number;

/**
 * The CRC-32 of the system's libdeflate, ten times as fast as that of `node:zlib` on x86; undefined when the host has none.
 * Not for pieces of some bytes.
 *
 * @param library its file name
 */
export function nativeCrc32(library?: string): Crc32 | undefined {
  const libdeflate = loadLibdeflate(library);
  if ('reason' in libdeflate) return undefined;
  // What is empty has no address, and of that the CRC would be 0.
  return (bytes, value) =>
    bytes.length === 0 ? value : libdeflate.crc32(value, addressOf(bytes), bytes.length);
}
