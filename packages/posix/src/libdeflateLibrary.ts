/** The functions of the system's libdeflate. */
import { loadNative, loadSystemLibrary } from './library.ts';

type Callback = (error: Error | null, result: number | bigint) => void;

export interface Libdeflate {
  /** Of the bytes at an address, which is none for no bytes. */
  crc32(value: number, address: number, length: number): number;
  /** Null for a level that it does not know, and when there is no memory. */
  allocCompressor(level: number): unknown;
  freeCompressor(compressor: unknown): void;
  /** What any block of that length fits into. */
  gzipCompressBound(compressor: unknown, length: number): number | bigint;
  /** Runs in a thread of libuv's pool. The buffers must live on until it calls back: with 0 if `output` was too small. */
  gzipCompress(
    compressor: unknown,
    input: { readonly bytes: Uint8Array; readonly length: number },
    output: Uint8Array,
    callback: Callback,
  ): void;
}

/**
 * The functions, or why there are none.
 *
 * @param name file name of the library
 */
export function loadLibdeflate(name = 'libdeflate.so.0'): Libdeflate | { readonly reason: string } {
  const native = loadNative();
  if ('reason' in native) return native;
  try {
    const lib = loadSystemLibrary(name, 'libdeflate_gzip_compress');
    const compress = lib.func('libdeflate_gzip_compress', 'size_t', [
      'void *',
      'void *',
      'size_t',
      'void *',
      'size_t',
    ]);
    return {
      crc32: lib.func('libdeflate_crc32', 'uint32_t', ['uint32_t', 'uintptr_t', 'size_t']),
      allocCompressor: lib.func('libdeflate_alloc_compressor', 'void *', ['int']),
      freeCompressor: lib.func('libdeflate_free_compressor', 'void', ['void *']),
      gzipCompressBound: lib.func('libdeflate_gzip_compress_bound', 'size_t', ['void *', 'size_t']),
      gzipCompress: (compressor, { bytes, length }, output, callback) =>
        compress.async(compressor, bytes, length, output, output.length, callback),
    };
  } catch (error) {
    return { reason: `${name} cannot be used: ${error instanceof Error ? error.message : String(error)}` };
  }
}
