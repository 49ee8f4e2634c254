import type { ByteCursor } from './byteCursor.ts';
import { damaged, truncated } from './compressionError.ts';
import { LzmaDecoder, LzmaFormatError } from './lzmaDecoder.ts';
import { LzmaWindow } from './lzmaWindow.ts';

// Control bytes (".xz File Format" §5.3.1 and the LZMA2 part of the XZ Embedded documentation).
const END = 0;
const PLAIN_RESET = 1;
const PLAIN = 2;
const LZMA = 0x80;
const RESET_STATE = 0xa0;
const NEW_PROPERTIES = 0xc0;
const RESET_ALL = 0xe0;

/** Decodes LZMA2 chunks up to and including the end marker; yields the content of each. */
export async function* decodeLzma2(
  input: ByteCursor,
  dictionarySize: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const window = new LzmaWindow(dictionarySize);
  const decoder = new LzmaDecoder();
  let needsReset = true;
  let needsProperties = true;
  for (;;) {
    const offset = input.position;
    const control = (await exactly(input, 1))[0] as number;
    if (control === END) return;
    if (control > PLAIN && control < LZMA) throw damaged('xz', offset, 'a chunk has an unknown type');
    if (control === PLAIN_RESET || control >= RESET_ALL) {
      window.reset();
      needsReset = false;
      needsProperties = true;
    }
    if (needsReset) throw damaged('xz', offset, 'the first chunk does not begin a dictionary');
    if (control < LZMA) {
      yield await plainChunk(input, window);
      continue;
    }
    if (control < NEW_PROPERTIES && needsProperties)
      throw damaged('xz', offset, 'a chunk lacks its properties');
    needsProperties = false;
    yield await lzmaChunk({ input, window, decoder, control, offset });
  }
}

async function plainChunk(input: ByteCursor, window: LzmaWindow): Promise<Uint8Array> {
  const size = (await exactly(input, 2)).readUInt16BE() + 1;
  window.makeRoom(size);
  window.append(await exactly(input, size));
  return window.last(size);
}

interface LzmaChunk {
  readonly input: ByteCursor;
  readonly window: LzmaWindow;
  readonly decoder: LzmaDecoder;
  readonly control: number;
  readonly offset: number;
}

async function lzmaChunk({ input, window, decoder, control, offset }: LzmaChunk): Promise<Uint8Array> {
  const sizes = await exactly(input, 4);
  const size = (control & 0x1f) * 65_536 + sizes.readUInt16BE(0) + 1;
  const packedSize = sizes.readUInt16BE(2) + 1;
  const properties = control >= NEW_PROPERTIES ? (await exactly(input, 1))[0] : undefined;
  const packed = await exactly(input, packedSize);
  window.makeRoom(size);
  try {
    if (properties !== undefined) decoder.setProperties(properties);
    else if (control >= RESET_STATE) decoder.reset();
    decoder.decode(packed, window, size);
  } catch (error) {
    if (!(error instanceof LzmaFormatError)) throw error;
    throw damaged('xz', offset, error.message, error);
  }
  return window.last(size);
}

/** The next `length` bytes, or `COMPRESSION_INVALID`. */
export async function exactly(input: ByteCursor, length: number): Promise<Buffer> {
  const bytes = await input.take(length);
  if (bytes.length < length) throw truncated('xz', input.position);
  return bytes;
}
