/**
 * gzip (RFC 1952): any number of members, each with its checksum and size verified; bytes that are
 * no member are an error, as in Go's `compress/gzip`.
 */
import { crc32 as zlibCrc32 } from 'node:zlib';
import { ByteCursor } from './byteCursor.ts';
import { damaged, trailingGarbage, truncated } from './compressionError.ts';
import type { DecoderOptions } from './decoder.ts';
import { gunzipByStream } from './gzipStream.ts';
import { createSyncInflater, type SyncInflater } from './syncInflater.ts';

/** A multiple of 512, filled to the end before it is yielded: a tar header is then never cut in two. Fits into a core's cache. */
const OUTPUT_SIZE = 256 * 1024;

const MAGIC = Buffer.from([0x1f, 0x8b]);
const FLAG_HEADER_CRC = 0x02;
const FLAG_EXTRA = 0x04;
const FLAG_NAME = 0x08;
const FLAG_COMMENT = 0x10;

export interface GunzipOptions extends DecoderOptions {
  /** What inflates, opened for each stream. Default: that of Node.js. */
  readonly openInflater?: (() => SyncInflater) | undefined;
  /** CRC-32 of more bytes; `value` is that of the bytes before them. Default: zlib's, which takes a sixth of the time of inflating. */
  readonly crc32?: ((bytes: Uint8Array, value: number) => number) | undefined;
}

/** Decoder for gzip; see `Decoder` for who owns the chunks. */
export function gunzip(
  source: AsyncIterable<Uint8Array>,
  options: GunzipOptions = {},
): AsyncIterable<Uint8Array> {
  const { openInflater = createSyncInflater, crc32 = zlibCrc32 } = options;
  const inflater = openInflater();
  if (inflater === undefined) return gunzipByStream(source);
  return gunzipSync(source, { inflater, crc32, nextOutput: outputs(options) });
}

/** Memory for the next chunk: what is offered, else a buffer of ours. */
function outputs({ output }: DecoderOptions): () => Buffer {
  let own: Buffer | undefined;
  return () => {
    const offered = output?.();
    if (offered !== undefined) return offered;
    own ??= Buffer.allocUnsafeSlow(OUTPUT_SIZE);
    return own;
  };
}

interface Tools {
  readonly inflater: SyncInflater;
  crc32(bytes: Uint8Array, value: number): number;
  nextOutput(): Buffer;
}

async function* gunzipSync(
  source: AsyncIterable<Uint8Array>,
  { inflater, crc32, nextOutput }: Tools,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new ByteCursor(source);
  let fill = 0;
  try {
    let output = nextOutput();
    for (let first = true; first || (await input.more()); first = false) {
      await skipHeader(input, first);
      inflater.reset();
      let crc = 0;
      let size = 0;
      // What stopped for want of room may go on without more input.
      let wantsInput = true;
      for (let ended = false; !ended; ) {
        if (fill === output.length) {
          yield output;
          output = nextOutput();
          fill = 0;
        }
        if (wantsInput && input.available === 0 && !(await input.more())) {
          throw truncated('gzip', input.position);
        }
        const step = inflate(inflater, input, output, fill);
        crc = step.produced === 0 ? crc : crc32(output.subarray(fill, fill + step.produced), crc);
        size += step.produced;
        fill += step.produced;
        wantsInput = fill < output.length;
        ended = step.ended;
      }
      await checkTrailer(input, crc, size);
    }
    if (fill > 0) yield output.subarray(0, fill);
  } finally {
    inflater.close();
    await input.close();
  }
}

function inflate(inflater: SyncInflater, input: ByteCursor, output: Buffer, fill: number) {
  try {
    const step = inflater.step(input.chunk, input.offset, output, fill);
    input.offset += step.consumed;
    return step;
  } catch (error) {
    throw damaged('gzip', input.position, (error as Error).message, error);
  }
}

async function skipHeader(input: ByteCursor, first: boolean): Promise<void> {
  const start = input.position;
  const header = input.takeAvailable(10) ?? (await input.take(10));
  if (!header.subarray(0, 2).equals(MAGIC.subarray(0, header.length))) {
    throw first ? damaged('gzip', start, 'no gzip header') : trailingGarbage('gzip', start);
  }
  if (header.length < 10) throw truncated('gzip', input.position);
  const method = header[2] as number;
  const flags = header[3] as number;
  if (method !== 8) throw damaged('gzip', start, `unknown method ${method}`);
  if (flags !== 0) await skipFields(input, flags, zlibCrc32(header));
}

/** The optional fields (RFC 1952 §2.3), and their checksum. */
async function skipFields(input: ByteCursor, flags: number, crcOfStart: number): Promise<void> {
  let crc = crcOfStart;
  if ((flags & FLAG_EXTRA) !== 0) {
    const length = Buffer.from(await exactly(input, 2));
    crc = zlibCrc32(await exactly(input, length.readUInt16LE()), zlibCrc32(length, crc));
  }
  if ((flags & FLAG_NAME) !== 0) crc = await skipText(input, crc);
  if ((flags & FLAG_COMMENT) !== 0) crc = await skipText(input, crc);
  if ((flags & FLAG_HEADER_CRC) === 0) return;
  const wanted = (await exactly(input, 2)).readUInt16LE();
  if (wanted !== (crc & 0xffff)) throw damaged('gzip', input.position, 'incorrect header check');
}

async function checkTrailer(input: ByteCursor, crc: number, size: number): Promise<void> {
  const trailer = input.takeAvailable(8) ?? (await exactly(input, 8));
  if (trailer.readUInt32LE(0) !== crc) throw damaged('gzip', input.position, 'incorrect data check');
  if (trailer.readUInt32LE(4) !== size % 2 ** 32)
    throw damaged('gzip', input.position, 'incorrect length check');
}

async function exactly(input: ByteCursor, length: number): Promise<Buffer> {
  const bytes = await input.take(length);
  if (bytes.length < length) throw truncated('gzip', input.position);
  return bytes;
}

async function skipText(input: ByteCursor, crc: number): Promise<number> {
  let running = crc;
  for (;;) {
    if (!(await input.more())) throw truncated('gzip', input.position);
    const nul = input.chunk.indexOf(0, input.offset);
    const end = nul < 0 ? input.chunk.length : nul + 1;
    running = zlibCrc32(input.chunk.subarray(input.offset, end), running);
    input.offset = end;
    if (nul >= 0) return running;
  }
}
