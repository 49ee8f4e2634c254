/** The zstd functions of the system's libzstd, and how their buffers are passed. */
import { loadNative, loadSystemLibrary } from './library.ts';

export interface Zstd {
  createDStream(): unknown;
  freeDStream(stream: unknown): number;
  decompressStream(stream: unknown, output: Buffer, input: Buffer): number | bigint;
  createCStream(): unknown;
  freeCStream(stream: unknown): number;
  compressStream2(stream: unknown, output: Buffer, input: Buffer, operation: number): number | bigint;
  setParameter(stream: unknown, parameter: number, value: number): number | bigint;
  setEncoderParameter(stream: unknown, parameter: number, value: number): number | bigint;
  versionString(): string;
  isError(code: number | bigint): number;
  getErrorName(code: number | bigint): string;
  address(bytes: Uint8Array): bigint;
}

let library: Zstd | { readonly reason: string } | undefined;

/** The functions, or why there are none. */
export function loadZstd(): Zstd | { readonly reason: string } {
  library ??= bindZstd();
  return library;
}

function bindZstd(): Zstd | { readonly reason: string } {
  const native = loadNative();
  if ('reason' in native) return native;
  const { koffi } = native;
  try {
    const lib = loadSystemLibrary('libzstd.so.1', 'ZSTD_isError');
    return {
      createDStream: lib.func('ZSTD_createDStream', 'void *', []),
      freeDStream: lib.func('ZSTD_freeDStream', 'size_t', ['void *']),
      decompressStream: lib.func('ZSTD_decompressStream', 'size_t', ['void *', 'void *', 'void *']),
      createCStream: lib.func('ZSTD_createCStream', 'void *', []),
      freeCStream: lib.func('ZSTD_freeCStream', 'size_t', ['void *']),
      compressStream2: lib.func('ZSTD_compressStream2', 'size_t', ['void *', 'void *', 'void *', 'int']),
      setParameter: lib.func('ZSTD_DCtx_setParameter', 'size_t', ['void *', 'int', 'int']),
      setEncoderParameter: lib.func('ZSTD_CCtx_setParameter', 'size_t', ['void *', 'int', 'int']),
      versionString: lib.func('ZSTD_versionString', 'str', []),
      isError: lib.func('ZSTD_isError', 'uint32_t', ['size_t']),
      getErrorName: lib.func('ZSTD_getErrorName', 'str', ['size_t']),
      address: (bytes) => koffi.address(bytes),
    };
  } catch (error) {
    return {
      reason: `libzstd.so.1 cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** `ZSTD_inBuffer` and `ZSTD_outBuffer` have one layout: pointer, size, position; 64 bits each. */
export class BufferWindow {
  readonly struct = Buffer.alloc(24);

  point(address: bigint, size: number): void {
    this.struct.writeBigUInt64LE(address, 0);
    this.struct.writeBigUInt64LE(BigInt(size), 8);
    this.position = 0;
  }

  get position(): number {
    return Number(this.struct.readBigUInt64LE(16));
  }

  set position(value: number) {
    this.struct.writeBigUInt64LE(BigInt(value), 16);
  }
}
