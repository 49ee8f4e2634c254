/** xz (".xz File Format" 1.2.0): streams of blocks, an index of them, a footer; everything is verified. */
import { crc32 } from 'node:zlib';
import { ByteCursor } from './byteCursor.ts';
import { damaged, trailingGarbage } from './compressionError.ts';
import { decodeLzma2, exactly } from './lzma2.ts';
import { NumberReader, parseXzBlockHeader } from './xzBlockHeader.ts';
import { newXzCheck } from './xzCheck.ts';

const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const FOOTER_MAGIC = Buffer.from('YZ');
const EDGE_SIZE = 12;
const MAX_NUMBER = 9;

/** What the index says about a block. */
interface BlockRecord {
  /** Header, chunks and check, without padding. */
  readonly unpaddedSize: number;
  readonly size: number;
}

/**
 * Decoder for xz: any number of streams with zero padding between them, all checks verified. Memory
 * grows with the data up to the dictionary size that the stream asks for.
 */
export async function* decodeXz(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new ByteCursor(source);
  try {
    yield* decodeStream(input, true);
    while (await skipPadding(input)) yield* decodeStream(input, false);
  } finally {
    await input.close();
  }
}

/** Skips the zeros between streams; true when another stream begins. */
async function skipPadding(input: ByteCursor): Promise<boolean> {
  const start = input.position;
  while ((await input.more()) && input.chunk[input.offset] === 0) input.offset++;
  const more = input.available > 0;
  if ((input.position - start) % 4 !== 0) throw trailingGarbage('xz', start);
  return more;
}

async function* decodeStream(input: ByteCursor, first: boolean): AsyncGenerator<Uint8Array, void, undefined> {
  const flags = await readStreamHeader(input, first);
  const records: BlockRecord[] = [];
  for (;;) {
    const start = input.position;
    const size = Buffer.from(await exactly(input, 1));
    if (size[0] === 0) break;
    const rest = await exactly(input, (size[0] as number) * 4 + 3);
    records.push(yield* decodeBlock(input, Buffer.concat([size, rest]), flags, start));
  }
  const indexSize = await checkIndex(input, records);
  await checkFooter(input, flags, indexSize);
}

async function readStreamHeader(input: ByteCursor, first: boolean): Promise<Buffer> {
  const start = input.position;
  const magic = await input.take(MAGIC.length);
  if (!magic.equals(MAGIC.subarray(0, magic.length))) {
    throw first ? damaged('xz', start, 'no xz header') : trailingGarbage('xz', start);
  }
  const rest = Buffer.from(await exactly(input, EDGE_SIZE - MAGIC.length));
  const flags = rest.subarray(0, 2);
  if (rest.readUInt32LE(2) !== crc32(flags)) {
    throw damaged('xz', start, 'the checksum of a stream header does not match');
  }
  if (flags[0] !== 0 || newXzCheck(flags[1] as number) === undefined) {
    throw damaged('xz', start, `check type ${flags[1]} is not supported`);
  }
  return flags;
}

async function* decodeBlock(
  input: ByteCursor,
  headerBytes: Buffer,
  flags: Buffer,
  start: number,
): AsyncGenerator<Uint8Array, BlockRecord, undefined> {
  const header = parseXzBlockHeader(headerBytes, start);
  const check = newXzCheck(flags[1] as number) as NonNullable<ReturnType<typeof newXzCheck>>;
  const dataStart = input.position;
  let size = 0;
  for await (const bytes of decodeLzma2(input, header.dictionarySize)) {
    size += bytes.length;
    check.update(bytes);
    yield bytes;
  }
  const packedSize = input.position - dataStart;
  if ((header.size ?? size) !== size || (header.packedSize ?? packedSize) !== packedSize) {
    throw damaged('xz', start, 'a block has not the size that its header says');
  }
  await zeros(input, (4 - (packedSize % 4)) % 4);
  const stored = await exactly(input, check.size);
  if (!stored.equals(check.value())) throw damaged('xz', start, 'the check of a block does not match');
  return { unpaddedSize: headerBytes.length + packedSize + check.size, size };
}

/** Compares the index, behind its first byte, with the blocks that were seen (§4); returns its size. */
async function checkIndex(input: ByteCursor, records: readonly BlockRecord[]): Promise<number> {
  const start = input.position - 1;
  let crc = crc32(Buffer.alloc(1));
  const next = async (): Promise<number> => {
    const bytes = await readNumberBytes(input);
    crc = crc32(bytes, crc);
    return new NumberReader(bytes, 0, start).next();
  };
  if ((await next()) !== records.length) throw damaged('xz', start, 'the index has another number of blocks');
  for (const { unpaddedSize, size } of records) {
    if ((await next()) !== unpaddedSize || (await next()) !== size) {
      throw damaged('xz', start, 'the index does not match the blocks');
    }
  }
  const padding = (4 - ((input.position - start) % 4)) % 4;
  await zeros(input, padding);
  crc = crc32(Buffer.alloc(padding), crc);
  if ((await exactly(input, 4)).readUInt32LE() !== crc) {
    throw damaged('xz', start, 'the checksum of the index does not match');
  }
  return input.position - start;
}

async function readNumberBytes(input: ByteCursor): Promise<Buffer> {
  const bytes: number[] = [];
  do {
    bytes.push((await exactly(input, 1))[0] as number);
  } while ((bytes.at(-1) as number) >= 0x80 && bytes.length < MAX_NUMBER);
  return Buffer.from(bytes);
}

/** §2.1.2: CRC-32, size of the index, flags again, magic. */
async function checkFooter(input: ByteCursor, flags: Buffer, indexSize: number): Promise<void> {
  const start = input.position;
  const footer = await exactly(input, EDGE_SIZE);
  const { length } = footer;
  const valid =
    footer.subarray(length - 2).equals(FOOTER_MAGIC) &&
    footer.readUInt32LE(0) === crc32(footer.subarray(4, length - 2)) &&
    (footer.readUInt32LE(4) + 1) * 4 === indexSize &&
    footer.subarray(8, 10).equals(flags);
  if (!valid) throw damaged('xz', start, 'the footer does not match the stream');
}

async function zeros(input: ByteCursor, length: number): Promise<void> {
  const start = input.position;
  if ((await exactly(input, length)).some((byte) => byte !== 0)) {
    throw damaged('xz', start, 'padding is not zero');
  }
}
