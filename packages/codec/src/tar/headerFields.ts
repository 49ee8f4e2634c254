/**
 * Fields of a header block as Go's `archive/tar` formats them. Source: POSIX `pax`, "ustar Interchange
 * Format".
 */
import { BLOCK_SIZE } from './headerBlock.ts';

const CHECKSUM_START = 148;
const CHECKSUM_DIGITS = 6;
const MAGIC_START = 257;
/** `ustar`, NUL, version `00`: the same for ustar and PAX. */
const MAGIC = Buffer.from('ustar\x0000', 'latin1');
const SPACE = 0x20;

/** Whether a number fits an octal field of `length` bytes, of which the last one is a NUL. */
export function fitsOctal(value: number, length: number): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

/** Writes an octal number with leading zeros; one that does not fit becomes 0, since a PAX record has it then. */
export function putOctal(block: Buffer, start: number, length: number, value: number): void {
  const text = (fitsOctal(value, length) ? value : 0).toString(8);
  block.write(text.padStart(length - 1, '0'), start, 'latin1');
}

/**
 * Writes as much of a text as fits. A slash at the cut is left out: some readers would take the
 * entry for a directory.
 */
export function putText(block: Buffer, start: number, length: number, text: Buffer): void {
  text.copy(block, start, 0, length);
  if (text.length <= length || block[start + length - 1] !== SLASH) return;
  let end = start + length - 1;
  while (end > start && block[end - 1] === SLASH) end--;
  block[end] = 0;
}

const SLASH = 0x2f;

/** Writes magic, version and checksum, the last of which sums up all the rest. */
export function sealBlock(block: Buffer): void {
  MAGIC.copy(block, MAGIC_START);
  block.fill(SPACE, CHECKSUM_START, CHECKSUM_START + 8);
  let sum = 0;
  for (let i = 0; i < BLOCK_SIZE; i++) sum += block[i] as number;
  block.write(sum.toString(8).padStart(CHECKSUM_DIGITS, '0'), CHECKSUM_START, 'latin1');
  block[CHECKSUM_START + CHECKSUM_DIGITS] = 0;
}
