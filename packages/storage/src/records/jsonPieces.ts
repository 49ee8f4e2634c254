import { isAscii } from 'node:buffer';

/** Reads what comes next in a file into `target`, from `offset` on, and tells how many bytes; 0 at the end. */
export type ReadNext = (target: Buffer, offset: number) => number;

const PIECE_BYTES = 128 * 1024;
/** That a unit of a text takes in UTF-8. */
const MOST_BYTES = 3;
/** In valid JSON that is always the border of two objects: the quotes in a string would stand behind a backslash. */
const BORDER = Buffer.from('},{"id":"');
const OPENING = 0x5b;
const CLOSING = 0x5d;

/**
 * The text of a file that holds an array of objects whose first key is `id`, as arrays of some of them: the text of the
 * whole, and what `JSON.parse` leaves behind, are never in memory at a time. A file of any other form comes in pieces that
 * are large or no valid JSON, of which none means anything else than in the whole: a border further inside leaves an
 * array that is not closed.
 */
export function* jsonPieces(readNext: ReadNext): Generator<string, void, undefined> {
  let bytes = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let fill = 0;
  for (;;) {
    const count = readNext(bytes, fill);
    if (count === 0) break;
    fill += count;
    const border = bytes.subarray(0, fill).lastIndexOf(BORDER);
    if (border >= 0) {
      const comma = border + 1;
      bytes[comma] = CLOSING;
      yield textOfBytes(bytes.subarray(0, comma + 1));
      bytes[comma] = OPENING;
      bytes.copyWithin(0, comma, fill);
      fill -= comma;
    } else if (fill === bytes.length) {
      bytes = Buffer.concat([bytes], 2 * fill);
    }
  }
  yield textOfBytes(bytes.subarray(0, fill));
}

/** The bytes of an array of values, of which each is given as its text, in pieces. */
export function arrayPieces(texts: Iterable<string>): Buffer[] {
  const pieces: Buffer[] = [];
  let piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let fill = 0;
  const put = (text: string): void => {
    if (text.length * MOST_BYTES > piece.length - fill) {
      pieces.push(piece.subarray(0, fill));
      piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, text.length * MOST_BYTES));
      fill = 0;
    }
    fill += piece.write(text, fill);
  };
  let before = '[';
  for (const text of texts) {
    put(before);
    put(text);
    before = ',';
  }
  put(before === '[' ? '[]' : ']');
  pieces.push(piece.subarray(0, fill));
  return pieces;
}

/** Records are ASCII nearly always, and that is made a string of in a fifth of the time. */
export function textOfBytes({ buffer, byteOffset, byteLength }: Uint8Array): string {
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return isAscii(bytes) ? bytes.toString('latin1') : bytes.toString('utf8');
}
