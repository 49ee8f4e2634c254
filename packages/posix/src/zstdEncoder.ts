import { StorageError } from '@sediment/core';
import { BufferWindow, loadZstd, type Zstd } from './zstdLibrary.ts';

/** An encoder as `@sediment/codec` registers them; a chunk it yields is valid until the next one is asked for. */
export type ZstdEncoder = (
  source: AsyncIterable<Uint8Array>,
  options?: { readonly level?: number },
) => AsyncIterable<Uint8Array>;

const OUTPUT_BYTES = 1024 * 1024;
/** `ZSTD_c_compressionLevel` */
const LEVEL_PARAMETER = 100;
/** `ZSTD_EndDirective` */
const CONTINUE = 0;
const END = 2;

/** An encoder that makes one zstd frame, at level 3 if no other is asked for; undefined when the host has no libzstd. */
export function createZstdEncoder(): ZstdEncoder | undefined {
  const zstd = loadZstd();
  return 'reason' in zstd ? undefined : (source, { level } = {}) => compress(zstd, source, level);
}

async function* compress(
  zstd: Zstd,
  source: AsyncIterable<Uint8Array>,
  level: number | undefined,
): AsyncGenerator<Uint8Array> {
  const stream = zstd.createCStream();
  if (stream === null) throw new StorageError('IO', 'libzstd cannot allocate an encoder: out of memory');
  const output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  const outWindow = new BufferWindow();
  const inWindow = new BufferWindow();
  outWindow.point(zstd.address(output), OUTPUT_BYTES);
  const step = (operation: number): number => {
    return checked(zstd, zstd.compressStream2(stream, outWindow.struct, inWindow.struct, operation));
  };
  try {
    if (level !== undefined) checked(zstd, zstd.setEncoderParameter(stream, LEVEL_PARAMETER, level));
    for await (const chunk of source) {
      if (chunk.length === 0) continue;
      inWindow.point(zstd.address(chunk), chunk.length);
      while (inWindow.position < chunk.length) {
        step(CONTINUE);
        if (outWindow.position < OUTPUT_BYTES) continue;
        yield output;
        outWindow.position = 0;
      }
    }
    inWindow.point(0n, 0);
    while (step(END) > 0) {
      yield output.subarray(0, outWindow.position);
      outWindow.position = 0;
    }
    if (outWindow.position > 0) yield output.subarray(0, outWindow.position);
  } finally {
    zstd.freeCStream(stream);
  }
}

function checked(zstd: Zstd, code: number | bigint): number {
  if (zstd.isError(code) === 0) return Number(code);
  throw new StorageError('IO', `libzstd cannot compress: ${zstd.getErrorName(code)}`);
}
