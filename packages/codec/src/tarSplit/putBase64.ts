/** Base64 (RFC 4648 §4) into a buffer, without a string in between. */

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
/** The two characters of each 12 bits, the first one in the low byte. */
const PAIRS = Uint16Array.from(
  { length: 4096 },
  (_, bits) => (ALPHABET[bits >> 6] as number) | ((ALPHABET[bits & 63] as number) << 8),
);
const PADDING = 0x3d;
const ZERO = 0x41;
/** Three 32-bit words, which become 16 characters. */
const GROUP = 12;

/** Memory as bytes, as 32-bit words, and as what may be written at any place; all start at the first byte. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly view: DataView;
}

/** Memory is made in words, for only then is it certain that it can be read in words. */
export function newMemory(size: number): Memory {
  const words = new Int32Array(Math.ceil(size / Int32Array.BYTES_PER_ELEMENT));
  return { words, bytes: new Uint8Array(words.buffer), view: new DataView(words.buffer) };
}

/** How many characters `length` bytes become. */
export function base64Length(length: number): number {
  return Math.ceil(length / 3) * 4;
}

/**
 * Encodes bytes `start` to `end` of `source` into `out` at `at`, where there must be room, and returns the
 * place behind. Headers of a tar are mostly zeros, which are written in one go and skipped.
 *
 * @param start a multiple of 12
 */
export function putBase64(
  source: Memory,
  { start, end }: { readonly start: number; readonly end: number },
  out: Memory,
  at: number,
): number {
  const { bytes, words } = source;
  const behind = at + base64Length(end - start);
  out.bytes.fill(ZERO, at, behind);
  let to = at;
  let from = start;
  // The machine is little-endian: the first byte is the low one of its word.
  for (let word = start >> 2; from + GROUP <= end; word += 3, from += GROUP, to += 16) {
    const a = words[word] as number;
    const b = words[word + 1] as number;
    const c = words[word + 2] as number;
    if ((a | b | c) === 0) continue;
    putTriple(out.view, to, ((a & 0xff) << 16) | (a & 0xff00) | ((a >>> 16) & 0xff));
    putTriple(out.view, to + 4, ((a >>> 24) << 16) | ((b & 0xff) << 8) | ((b >>> 8) & 0xff));
    putTriple(out.view, to + 8, (b & 0xff0000) | ((b >>> 24) << 8) | (c & 0xff));
    putTriple(out.view, to + 12, ((c & 0xff00) << 8) | ((c >>> 8) & 0xff00) | (c >>> 24));
  }
  for (; from < end; from += 3, to += 4) {
    const second = from + 1 < end ? (bytes[from + 1] as number) : 0;
    const third = from + 2 < end ? (bytes[from + 2] as number) : 0;
    putTriple(out.view, to, ((bytes[from] as number) << 16) | (second << 8) | third);
  }
  for (let missing = from - end; missing > 0; missing--) out.bytes[behind - missing] = PADDING;
  return behind;
}

function putTriple(view: DataView, at: number, bits: number): void {
  view.setInt32(at, (PAIRS[bits >> 12] as number) | ((PAIRS[bits & 0xfff] as number) << 16), true);
}
