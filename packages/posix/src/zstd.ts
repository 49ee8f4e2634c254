/** Streaming zstd by the system's libzstd: Node has zstd from 22.15 only, and takes twice the processor time for it. */
import { StorageError } from '@sediment/core';
import { BufferWindow, loadZstd, type Zstd } from './zstdLibrary.ts';

/** A decoder as `@sediment/codec` registers them; a chunk it yields is valid until the next one is asked for. */
export type ZstdDecoder = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

const OUTPUT_BYTES = 1024 * 1024;
const WINDOW_LOG_MAX_PARAMETER = 100;
/** 512 MiB, the largest window that upstream's decoder accepts; libzstd's own default is 128 MiB. */
const WINDOW_LOG_MAX = 29;

/** Why {@link createZstdDecoder} gives nothing on this host, else undefined. */
export function zstdUnavailableReason(): string | undefined {
  const zstd = loadZstd();
  return 'reason' in zstd ? zstd.reason : undefined;
}

/**
 * A decoder for zstd data of any number of frames, skippable ones too; undefined when the host has no
 * libzstd. Data that is damaged, truncated or followed by garbage ends in `COMPRESSION_INVALID`.
 */
export function createZstdDecoder(): ZstdDecoder | undefined {
  const zstd = loadZstd();
  return 'reason' in zstd ? undefined : (source) => decompress(zstd, source);
}

async function* decompress(zstd: Zstd, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = zstd.createDStream();
  if (stream === null) throw new StorageError('IO', 'libzstd cannot allocate a decoder: out of memory');
  const output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  const outWindow = new BufferWindow();
  const inWindow = new BufferWindow();
  outWindow.point(zstd.address(output), OUTPUT_BYTES);
  let consumed = 0;
  /** What libzstd still expects; 0 exactly at the end of a frame. */
  let expected = 1;
  const step = (): number => {
    const code = zstd.decompressStream(stream, outWindow.struct, inWindow.struct);
    if (zstd.isError(code) !== 0) throw damaged(zstd.getErrorName(code), consumed + inWindow.position);
    return Number(code);
  };
  try {
    zstd.setParameter(stream, WINDOW_LOG_MAX_PARAMETER, WINDOW_LOG_MAX);
    for await (const chunk of source) {
      if (chunk.length === 0) continue;
      inWindow.point(zstd.address(chunk), chunk.length);
      // A full output means that more may be waiting inside, even when all input is taken.
      while (inWindow.position < chunk.length || outWindow.position === OUTPUT_BYTES) {
        if (outWindow.position === OUTPUT_BYTES) {
          yield output;
          outWindow.position = 0;
          if (expected === 0 && inWindow.position === chunk.length) break;
        }
        expected = step();
      }
      consumed += chunk.length;
    }
    if (outWindow.position > 0) yield output.subarray(0, outWindow.position);
    if (expected !== 0) throw damaged('the data ends in the middle of a frame', consumed);
  } finally {
    zstd.freeDStream(stream);
  }
}

function damaged(reason: string, offset: number): StorageError {
  return new StorageError('COMPRESSION_INVALID', `zstd data is damaged at byte ${offset}: ${reason}`, {
    offset,
  });
}

/** Version of the loaded libzstd, as `1.5.4`; undefined when there is none. */
export function zstdVersion(): string | undefined {
  const zstd = loadZstd();
  return 'reason' in zstd ? undefined : zstd.versionString();
}
