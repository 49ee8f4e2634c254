import { Decompress } from 'fzstd';
import xxhash from 'xxhash-wasm';
import { ByteCursor } from './byteCursor.ts';
import { damaged } from './compressionError.ts';
import { nextZstdFrame, type ZstdBlock, type ZstdFrame, zstdBlocks } from './zstdFrames.ts';

/**
 * zstd in JavaScript, for hosts that have neither libzstd nor a Node with zstd; about 100 MB/s. Takes
 * one block (at most 128 KiB of content) at a time, so memory stays near the window size. Content size
 * and checksum are verified here, since the library does neither.
 */
export async function* decodeZstdPortably(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { create64 } = await xxhash();
  const input = new ByteCursor(source);
  try {
    for (;;) {
      const frame = await nextZstdFrame(input);
      if (frame === undefined) return;
      const hash = create64();
      let size = 0;
      const decode = frameDecoder(frame);
      for await (const block of zstdBlocks(input, frame)) {
        for (const part of decode(block)) {
          size += part.length;
          hash.update(part);
          yield part;
        }
        if (block.last) checkFrame(frame, block, size, hash.digest());
      }
    }
  } finally {
    await input.close();
  }
}

function frameDecoder(frame: ZstdFrame): (block: ZstdBlock) => Uint8Array[] {
  let parts: Uint8Array[] = [];
  const decompressor = new Decompress((part) => {
    if (part.length > 0) parts.push(part);
  });
  let prefix = frame.header;
  return (block) => {
    parts = [];
    try {
      decompressor.push(Buffer.concat([prefix, block.bytes]), block.last);
    } catch (error) {
      throw damaged('zstd', frame.offset, (error as Error).message, error);
    }
    prefix = Buffer.alloc(0);
    return parts;
  };
}

/** The checksum is the low half of the content's XXH64 (RFC 8878 §3.1.1). */
function checkFrame(frame: ZstdFrame, last: ZstdBlock, size: number, hash: bigint): void {
  if (frame.contentSize !== undefined && frame.contentSize !== size) {
    throw damaged('zstd', frame.offset, `the frame has ${size} bytes instead of ${frame.contentSize}`);
  }
  if (frame.hasChecksum && last.bytes.readUInt32LE(last.bytes.length - 4) !== Number(hash & 0xffff_ffffn)) {
    throw damaged('zstd', frame.offset, 'the checksum of the frame does not match');
  }
}
