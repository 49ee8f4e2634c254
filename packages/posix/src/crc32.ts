import { addressOf } from './address.ts';
import { loadNative, loadSystemLibrary } from './library.ts';

/** CRC-32 (RFC 1952 §8) of more bytes; `value` is that of the bytes before them, 0 at the start. */
export type Crc32 = (bytes: Uint8Array, value: number) => number;

/**
 * The CRC-32 of the system's libdeflate, ten times as fast as that of `node:zlib` on x86; undefined when the host has none.
 * Not for pieces of some bytes.
 *
 * @param library its file name
 */
export function nativeCrc32(library = 'libdeflate.so.0'): Crc32 | undefined {
  const native = loadNative();
  if ('reason' in native) return undefined;
  try {
    const types = ['uint32_t', 'uintptr_t', 'size_t'];
    const update = loadSystemLibrary(library, 'libdeflate_crc32').func('libdeflate_crc32', 'uint32_t', types);
    // What is empty has no address, and of that the CRC would be 0.
    return (bytes, value) =>
      bytes.length === 0 ? value : (update(value, addressOf(bytes), bytes.length) as number);
  } catch (error) {
    // Absent, or without the function: koffi throws plain errors.
    if (error instanceof Error) return undefined;
    throw error;
  }
}
