import type { TarPosition } from './tarPosition.ts';

const SPACE = 0x20;
const ID_LIMIT = 2 ** 32;

/** One numeric field of a header block. */
export interface NumberField {
  readonly label: string;
  readonly start: number;
  readonly length: number;
}

/**
 * Reads an octal field: spaces and NULs around the digits are ignored, an empty field is 0.
 * Fields have at most 12 digits (36 bits), so plain numbers are exact.
 *
 * @throws {StorageError} `TAR_INVALID`
 */
export function parseOctal(block: Buffer, field: NumberField, at: TarPosition): number {
  const value = readOctal(block, field);
  if (value === undefined) throw at.invalid(`${field.label} ${quote(block, field)} is not octal`);
  return value;
}

/**
 * Reads an octal field, or a base-256 one: bit 7 of the first byte set, bit 6 the sign, the rest a
 * big-endian two's complement number (GNU tar manual, "Extensions to the tar Archive Format").
 *
 * @throws {StorageError} `TAR_INVALID` also for numbers that a double cannot hold exactly
 */
export function parseNumeric(block: Buffer, field: NumberField, at: TarPosition): number {
  const value = readNumeric(block, field);
  if (value === undefined) {
    throw at.invalid(`${field.label} ${quote(block, field)} is not a number, or out of range`);
  }
  return value;
}

/** {@link parseNumeric} for fields that may hold something else: undefined instead of an error. */
export function readNumeric(block: Buffer, field: NumberField): number | undefined {
  const first = block[field.start] as number;
  return (first & 0x80) === 0 ? readOctal(block, field) : readBase256(block, field);
}

function readOctal(block: Buffer, field: NumberField): number | undefined {
  let start = field.start;
  let end = start + field.length;
  while (start < end && isBlank(block[start])) start++;
  while (end > start && isBlank(block[end - 1])) end--;
  let value = 0;
  for (let i = start; i < end; i++) {
    const byte = block[i] as number;
    if (byte === 0) break;
    const digit = byte - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return value;
}

function readBase256(block: Buffer, field: NumberField): number | undefined {
  const invert = ((block[field.start] as number) & 0x40) === 0 ? 0 : 0xff;
  let value = 0n;
  for (let i = 0; i < field.length; i++) {
    const byte = (block[field.start + i] as number) ^ invert;
    value = (value << 8n) | BigInt(i === 0 ? byte & 0x7f : byte);
  }
  const number = Number(invert === 0 ? value : ~value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Reads a signed decimal text of a PAX record, as `strconv.ParseInt` does. */
export function parseDecimal(text: string, label: string, at: TarPosition): number {
  const number = /^[+-]?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) {
    throw at.invalid(`${label} ${JSON.stringify(text)} is not a number, or out of range`);
  }
  return number;
}

/**
 * Turns the value of an owner field into the id the kernel stores. Negative ids down to -2^31 wrap
 * (BSD's `nobody` is -2); -1 means "leave as it is" to the kernel and therefore cannot be an owner.
 */
export function ownerId(value: number, label: string, at: TarPosition): number {
  const id = value < 0 ? value + ID_LIMIT : value;
  if (id < 0 || id >= ID_LIMIT - 1 || (value < 0 && value < -(2 ** 31))) {
    throw at.invalid(`${label} ${value} is out of range`, 'owner ids go from 0 to 4294967294');
  }
  return id;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0 || byte === SPACE;
}

function quote(block: Buffer, field: NumberField): string {
  return JSON.stringify(block.toString('latin1', field.start, field.start + field.length));
}
