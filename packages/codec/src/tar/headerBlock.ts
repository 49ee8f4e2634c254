/**
 * The 512-byte header block in its v7, ustar, GNU and star forms. Sources: POSIX `pax`, "ustar
 * Interchange Format"; GNU tar manual, "Basic Tar Format"; star(5). Leniency is that of Go's
 * `archive/tar`, which decides what other container tools accept.
 */
import type { TarFormat } from './tarHeader.ts';
import { type NumberField, ownerId, parseNumeric, parseOctal, readNumeric } from './tarNumber.ts';
import type { TarPosition } from './tarPosition.ts';

export const BLOCK_SIZE = 512;
const SECOND_NS = 1_000_000_000n;
const EMPTY = Buffer.alloc(0);

const FIELD = {
  mode: { label: 'mode', start: 100, length: 8 },
  uid: { label: 'uid', start: 108, length: 8 },
  gid: { label: 'gid', start: 116, length: 8 },
  size: { label: 'size', start: 124, length: 12 },
  mtime: { label: 'mtime', start: 136, length: 12 },
  checksum: { label: 'checksum', start: 148, length: 8 },
  uname: { label: 'uname', start: 265, length: 32 },
  gname: { label: 'gname', start: 297, length: 32 },
  devmajor: { label: 'devmajor', start: 329, length: 8 },
  devminor: { label: 'devminor', start: 337, length: 8 },
  gnuAtime: { label: 'atime', start: 345, length: 12 },
  gnuCtime: { label: 'ctime', start: 357, length: 12 },
  starAtime: { label: 'atime', start: 476, length: 12 },
  starCtime: { label: 'ctime', start: 488, length: 12 },
} as const satisfies Record<string, NumberField>;

/** What the block before had, which is made once for all that have the same. */
let lastUname: Buffer = EMPTY;
let lastGname: Buffer = EMPTY;
let lastSeconds = 0;
let lastTime = 0n;

/** Fields of one block, before PAX and GNU extensions are applied. */
export interface BlockFields {
  name: Buffer;
  linkname: Buffer;
  typeflag: number;
  mode: number;
  uid: number;
  gid: number;
  /** May be negative; the reader refuses that where the size counts. */
  size: number;
  mtimeNs: bigint;
  atimeNs: bigint | undefined;
  ctimeNs: bigint | undefined;
  uname: Buffer;
  gname: Buffer;
  devmajor: number;
  devminor: number;
  format: TarFormat;
}

/**
 * Parses a block that is not all zeros. Strings are copied, the block may be reused.
 *
 * @throws {StorageError} `TAR_INVALID`
 */
export function parseHeaderBlock(block: Buffer, at: TarPosition): BlockFields {
  checkChecksum(block, at);
  const format = detectFormat(block);
  const fields: BlockFields = {
    name: text(block, 0, 100),
    linkname: text(block, 157, 100),
    typeflag: block[156] as number,
    mode: parseNumeric(block, FIELD.mode, at) & 0xffff,
    uid: ownerId(parseNumeric(block, FIELD.uid, at), 'uid', at),
    gid: ownerId(parseNumeric(block, FIELD.gid, at), 'gid', at),
    size: parseNumeric(block, FIELD.size, at),
    mtimeNs: seconds(parseNumeric(block, FIELD.mtime, at)),
    atimeNs: undefined,
    ctimeNs: undefined,
    uname: EMPTY,
    gname: EMPTY,
    devmajor: 0,
    devminor: 0,
    format,
  };
  if (format !== 'v7') readExtendedFields(block, fields, at);
  return fields;
}

function readExtendedFields(block: Buffer, fields: BlockFields, at: TarPosition): void {
  lastUname = textAsBefore(block, FIELD.uname, lastUname);
  lastGname = textAsBefore(block, FIELD.gname, lastGname);
  fields.uname = lastUname;
  fields.gname = lastGname;
  fields.devmajor = parseNumeric(block, FIELD.devmajor, at);
  fields.devminor = parseNumeric(block, FIELD.devminor, at);
  if (fields.format === 'gnu') {
    readGnuTimes(block, fields);
  } else if (fields.format === 'star') {
    prepend(text(block, 345, 131), fields);
    fields.atimeNs = seconds(parseNumeric(block, FIELD.starAtime, at));
    fields.ctimeNs = seconds(parseNumeric(block, FIELD.starCtime, at));
  } else {
    prepend(text(block, 345, 155), fields);
  }
}

/**
 * Go before 1.8 wrote GNU blocks with a ustar prefix where the times belong: when those bytes are
 * no numbers but ASCII text, they are taken as that prefix.
 */
function readGnuTimes(block: Buffer, fields: BlockFields): void {
  const atime = block[345] === 0 ? 0 : readNumeric(block, FIELD.gnuAtime);
  const ctime = block[357] === 0 ? 0 : readNumeric(block, FIELD.gnuCtime);
  if (atime === undefined || ctime === undefined) {
    const prefix = text(block, 345, 155);
    if (prefix.every((byte) => byte < 0x80)) prepend(prefix, fields);
    return;
  }
  if (block[345] !== 0) fields.atimeNs = seconds(atime);
  if (block[357] !== 0) fields.ctimeNs = seconds(ctime);
}

function prepend(prefix: Buffer, fields: BlockFields): void {
  if (prefix.length > 0) fields.name = Buffer.concat([prefix, SLASH, fields.name]);
}

const SLASH = Buffer.from('/');
const MAGIC_OFFSET = 257;
const USTAR = Buffer.from('ustar');
const STAR_OFFSET = 508;
const STAR = Buffer.from('tar\0');
const SPACE = 0x20;

function detectFormat(block: Buffer): TarFormat {
  if (!holds(block, MAGIC_OFFSET, USTAR)) return 'v7';
  const [first, second, third] = [block[262], block[263], block[264]];
  if (first === 0) return holds(block, STAR_OFFSET, STAR) ? 'star' : 'ustar';
  return first === SPACE && second === SPACE && third === 0 ? 'gnu' : 'v7';
}

function holds(block: Buffer, start: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (block[start + i] !== text[i]) return false;
  return true;
}

/** Old writers summed signed bytes, so either sum is right. The checksum field counts as spaces. */
function checkChecksum(block: Buffer, at: TarPosition): void {
  const wanted = parseOctal(block, FIELD.checksum, at);
  const sum = sumOfUnsigned(block);
  if (wanted === sum) return;
  const signed = sumOfSigned(new Int8Array(block.buffer, block.byteOffset, BLOCK_SIZE));
  if (wanted !== signed) throw at.invalid(`checksum is ${wanted}, the block sums up to ${sum}`);
}

const BLANKS = FIELD.checksum.length * 0x20;

/**
 * Adds two bytes at a time, in the halves of a word; most words are 0. The block is copied to where it can be read
 * in words: all that takes a third of the time of adding bytes.
 */
function sumOfUnsigned(block: Buffer): number {
  const { bytes, words } = CHECKED;
  bytes.set(block);
  // The checksum field is two words.
  words[FIELD.checksum.start / 4] = 0;
  words[FIELD.checksum.start / 4 + 1] = 0;
  let pairs = 0;
  for (let i = 0; i < BLOCK_SIZE / 4; i++) {
    const word = words[i] as number;
    if (word !== 0) pairs += (word & 0xff00ff) + ((word >>> 8) & 0xff00ff);
  }
  return BLANKS + (pairs & 0xffff) + (pairs >>> 16);
}

const CHECKED_WORDS = new Int32Array(BLOCK_SIZE / 4);
const CHECKED = { words: CHECKED_WORDS, bytes: new Uint8Array(CHECKED_WORDS.buffer) };

function sumOfSigned(bytes: Int8Array): number {
  const { start, length } = FIELD.checksum;
  let sum = BLANKS;
  for (let i = 0; i < BLOCK_SIZE; i++) if (i < start || i >= start + length) sum += bytes[i] as number;
  return sum;
}

function text(block: Buffer, start: number, length: number): Buffer {
  if (block[start] === 0) return EMPTY;
  let end = start + 1;
  const limit = start + length;
  while (end < limit && block[end] !== 0) end++;
  const bytes = Buffer.allocUnsafe(end - start);
  for (let i = start; i < end; i++) bytes[i - start] = block[i] as number;
  return bytes;
}

/** The same as before if it is: most entries of a layer belong to one owner. */
function textAsBefore(block: Buffer, field: { start: number; length: number }, before: Buffer): Buffer {
  const { start, length } = field;
  const { length: known } = before;
  const ended = known === length || block[start + known] === 0;
  return ended && holds(block, start, before) ? before : text(block, start, length);
}

function seconds(value: number): bigint {
  if (value !== lastSeconds) {
    lastSeconds = value;
    lastTime = BigInt(value) * SECOND_NS;
  }
  return lastTime;
}
