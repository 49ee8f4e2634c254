/**
 * The frame layer of zstd (RFC 8878 §3.1): finds frames and blocks, drops skippable frames, and
 * refuses truncated data and bytes that are no frame. The decoders behind it get whole blocks.
 */
import type { ByteCursor } from './byteCursor.ts';
import { damaged, trailingGarbage, truncated } from './compressionError.ts';

const FRAME_MAGIC = 0xfd2f_b528;
const SKIPPABLE_MAGIC = 0x184d_2a50;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;
/** The largest window that upstream's decoder accepts. */
const MAX_WINDOW = 512 * 1024 * 1024;

export interface ZstdFrame {
  /** Offset in the compressed stream. */
  readonly offset: number;
  /** Magic number and frame header. */
  readonly header: Buffer;
  /** Size of the content, if the header tells it. */
  readonly contentSize: number | undefined;
  readonly hasChecksum: boolean;
}

/** One block with its header; the last one of a frame is followed by the checksum, if there is one. */
export interface ZstdBlock {
  readonly bytes: Buffer;
  readonly last: boolean;
}

/** The next frame that has content, or undefined at the end. Its blocks must be read before the next call. */
export async function nextZstdFrame(input: ByteCursor): Promise<ZstdFrame | undefined> {
  while (await input.more()) {
    const offset = input.position;
    const magic = Buffer.from(await input.take(4));
    if (magic.length < 4) throw trailingGarbage('zstd', offset);
    const number = magic.readUInt32LE();
    if (number === FRAME_MAGIC) return readFrameHeader(input, magic, offset);
    if ((number & 0xffff_fff0) !== SKIPPABLE_MAGIC) throw trailingGarbage('zstd', offset);
    await skip(input, (await exactly(input, 4)).readUInt32LE());
  }
  return undefined;
}

/** The blocks of a frame; bytes are copies. */
export async function* zstdBlocks(
  input: ByteCursor,
  frame: ZstdFrame,
): AsyncGenerator<ZstdBlock, void, undefined> {
  for (let last = false; !last; ) {
    const offset = input.position;
    const header = Buffer.from(await exactly(input, 3));
    const value = header.readUIntLE(0, 3);
    last = (value & 1) === 1;
    const type = (value >> 1) & 3;
    const size = value >> 3;
    if (type === RESERVED_BLOCK) throw damaged('zstd', offset, 'a block has the reserved type');
    const payload = type === RLE_BLOCK ? 1 : size;
    const rest = await exactly(input, payload + (last && frame.hasChecksum ? 4 : 0));
    yield { bytes: Buffer.concat([header, rest]), last };
  }
}

async function readFrameHeader(input: ByteCursor, magic: Buffer, offset: number): Promise<ZstdFrame> {
  const descriptor = Buffer.from(await exactly(input, 1));
  const flags = descriptor[0] as number;
  if ((flags & 0x08) !== 0) throw damaged('zstd', offset, 'the frame header has its reserved bit set');
  const singleSegment = (flags & 0x20) !== 0;
  const sizeFlag = flags >> 6;
  const windowBytes = singleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] as number;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const rest = Buffer.from(await exactly(input, windowBytes + dictionaryBytes + sizeBytes));
  if (rest.subarray(windowBytes, windowBytes + dictionaryBytes).some((byte) => byte !== 0)) {
    throw damaged('zstd', offset, 'the frame needs a dictionary');
  }
  const contentSize = readContentSize(rest.subarray(windowBytes + dictionaryBytes));
  const window = singleSegment ? (contentSize ?? 0) : windowSize(rest[0] as number);
  if (window > MAX_WINDOW) throw damaged('zstd', offset, `a window of ${window} bytes is too large`);
  const header = Buffer.concat([magic, descriptor, rest]);
  return { offset, header, contentSize, hasChecksum: (flags & 0x04) !== 0 };
}

function readContentSize(field: Buffer): number | undefined {
  switch (field.length) {
    case 0:
      return undefined;
    case 2:
      return field.readUInt16LE() + 256;
    case 8:
      return Number(field.readBigUInt64LE());
    default:
      return field.readUIntLE(0, field.length);
  }
}

function windowSize(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

async function exactly(input: ByteCursor, length: number): Promise<Buffer> {
  const bytes = await input.take(length);
  if (bytes.length < length) throw truncated('zstd', input.position);
  return bytes;
}

async function skip(input: ByteCursor, length: number): Promise<void> {
  for (let left = length; left > 0; ) {
    if (!(await input.more())) throw truncated('zstd', input.position);
    const step = Math.min(left, input.available);
    input.offset += step;
    left -= step;
  }
}
