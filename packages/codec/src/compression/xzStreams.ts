/**
 * The container layer of xz (".xz File Format" 1.2.0, §2–§5): follows headers, LZMA2 chunks, index and
 * footer, so that the end of each stream is known exactly while its bytes pass. The decoder behind it
 * stops at the end of a stream and cannot tell what comes then, nor whether anything is missing.
 */
import type { ByteCursor } from './byteCursor.ts';
import { damaged, trailingGarbage, truncated } from './compressionError.ts';

const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const FOOTER_MAGIC = Buffer.from('YZ');
const HEADER_SIZE = 12;
const FOOTER_SIZE = 12;
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** Skips the zero padding between streams; true when another stream begins. */
export async function nextXzStream(input: ByteCursor, first: boolean): Promise<boolean> {
  let padding = 0;
  while (await input.more()) {
    if (input.chunk[input.offset] !== 0) {
      if (padding % 4 !== 0) throw trailingGarbage('xz', input.position);
      return true;
    }
    if (first) throw damaged('xz', input.position, 'no xz header');
    input.offset++;
    padding++;
  }
  if (padding % 4 !== 0) throw trailingGarbage('xz', input.position - padding);
  return false;
}

/** The bytes of one stream, up to and including its footer. */
export async function* xzStreamBytes(
  input: ByteCursor,
  first: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const start = input.position;
  const header = await input.take(HEADER_SIZE);
  if (!header.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, header.length))) {
    throw first ? damaged('xz', start, 'no xz header') : trailingGarbage('xz', start);
  }
  if (header.length < HEADER_SIZE) throw truncated('xz', input.position);
  const checkSize = CHECK_SIZES[(header[7] as number) & 0x0f] as number;
  yield header;
  for (;;) {
    const size = Buffer.from(await exactly(input, 1));
    yield size;
    if (size[0] === 0) break;
    yield* pass(input, ((size[0] as number) + 1) * 4 - 1);
    yield* passBlock(input, checkSize);
  }
  yield* passIndex(input);
  const footer = await exactly(input, FOOTER_SIZE);
  if (!footer.subarray(FOOTER_SIZE - 2).equals(FOOTER_MAGIC)) {
    throw damaged('xz', input.position - 2, 'the stream has no footer');
  }
  yield footer;
}

/** LZMA2 chunks up to the end marker, padding to four bytes, and the check. */
async function* passBlock(input: ByteCursor, checkSize: number): AsyncGenerator<Uint8Array> {
  const start = input.position;
  for (;;) {
    const control = Buffer.from(await exactly(input, 1));
    yield control;
    const kind = control[0] as number;
    if (kind === 0) break;
    if (kind > 2 && kind < 0x80) throw damaged('xz', input.position - 1, 'a chunk has an unknown type');
    const rest = Buffer.from(await exactly(input, kind < 0x80 ? 2 : kind < 0xc0 ? 4 : 5));
    yield rest;
    yield* pass(input, rest.readUInt16BE(kind < 0x80 ? 0 : 2) + 1);
  }
  const size = input.position - start;
  yield* pass(input, ((4 - (size % 4)) % 4) + checkSize);
}

/** The index behind its zero byte: count of records, two numbers each, padding, CRC-32. */
async function* passIndex(input: ByteCursor): AsyncGenerator<Uint8Array> {
  const start = input.position - 1;
  const count = yield* passNumber(input);
  for (let i = 0; i < count * 2; i++) yield* passNumber(input);
  const size = input.position - start;
  yield* pass(input, ((4 - (size % 4)) % 4) + 4);
}

/** A variable-length integer: 7 bits per byte, the lowest first (§1.2). */
async function* passNumber(input: ByteCursor): AsyncGenerator<Uint8Array, number> {
  let value = 0;
  for (let shift = 0; shift < 63; shift += 7) {
    const byte = Buffer.from(await exactly(input, 1));
    yield byte;
    value += ((byte[0] as number) & 0x7f) * 2 ** shift;
    if ((byte[0] as number) < 0x80) return value;
  }
  throw damaged('xz', input.position, 'a number is too long');
}

async function* pass(input: ByteCursor, length: number): AsyncGenerator<Uint8Array> {
  for (let left = length; left > 0; ) {
    if (!(await input.more())) throw truncated('xz', input.position);
    const part = input.takeAvailable(Math.min(left, input.available)) as Buffer;
    left -= part.length;
    yield part;
  }
}

async function exactly(input: ByteCursor, length: number): Promise<Buffer> {
  const bytes = await input.take(length);
  if (bytes.length < length) throw truncated('xz', input.position);
  return bytes;
}
