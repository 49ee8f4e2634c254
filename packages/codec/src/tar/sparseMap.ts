/**
 * Sparse maps: which parts of a file have data in the archive. Source: GNU tar manual, "Storing
 * Sparse Files" (PAX 0.0, 0.1, 1.0 and the old GNU format); strictness as in Go's `archive/tar`.
 */
import type { PaxRecords } from './paxRecords.ts';
import type { SparseRange } from './tarHeader.ts';
import { parseDecimal, parseNumeric } from './tarNumber.ts';
import type { TarPosition } from './tarPosition.ts';

const NEWLINE = 0x0a;
const OLD_ENTRY = 24;

export type SparseFormat = 'header' | 'data';

/** Whether an entry is a PAX sparse file, and where its map is: in the records (0.x) or the data (1.0). */
export function paxSparseFormat(records: PaxRecords): SparseFormat | undefined {
  const major = textOf(records, 'GNU.sparse.major');
  const minor = textOf(records, 'GNU.sparse.minor');
  if (major === '0' && (minor === '0' || minor === '1')) return 'header';
  if (major === '1' && minor === '0') return 'data';
  if (major !== '' || minor !== '') return undefined;
  return textOf(records, 'GNU.sparse.map') === '' ? undefined : 'header';
}

/** The real size of a PAX sparse file, if the records give one. */
export function paxSparseSize(records: PaxRecords, at: TarPosition): number | undefined {
  const size = textOf(records, 'GNU.sparse.size') || textOf(records, 'GNU.sparse.realsize');
  return size === '' ? undefined : parseDecimal(size, 'sparse size', at);
}

/** The map of formats 0.0 and 0.1: `offset,length,offset,length…`. */
export function readPaxSparseMap(records: PaxRecords, at: TarPosition): SparseRange[] {
  const count = parseDecimal(textOf(records, 'GNU.sparse.numblocks'), 'GNU.sparse.numblocks', at);
  const map = textOf(records, 'GNU.sparse.map');
  const parts = map === '' ? [] : map.split(',');
  if (count < 0 || parts.length !== count * 2) {
    throw at.invalid(`sparse map has ${parts.length} numbers for ${count} ranges`);
  }
  const numbers = parts.map((part) => parseDecimal(part, 'sparse map', at));
  return toRanges(numbers);
}

function toRanges(numbers: readonly number[]): SparseRange[] {
  const ranges: SparseRange[] = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    ranges.push({ offset: numbers[i] as number, length: numbers[i + 1] as number });
  }
  return ranges;
}

/**
 * Collects the map of format 1.0, which stands in front of the data in whole blocks: decimal
 * numbers, each ended by a newline: the count of ranges, then offset and length of each.
 */
export class DataSparseMap {
  readonly #at: TarPosition;
  readonly #numbers: number[] = [];
  #pending = '';

  constructor(at: TarPosition) {
    this.#at = at;
  }

  /** Takes the next block; returns the ranges once they are complete. */
  addBlock(block: Buffer): SparseRange[] | undefined {
    let start = 0;
    while (!this.#complete()) {
      const newline = block.indexOf(NEWLINE, start);
      if (newline < 0) break;
      this.#numbers.push(this.#parse(this.#pending + block.toString('latin1', start, newline)));
      this.#pending = '';
      start = newline + 1;
    }
    if (this.#complete()) return toRanges(this.#numbers.slice(1));
    this.#pending += block.toString('latin1', start);
    if (this.#pending.length > 2 * block.length)
      throw this.#at.invalid('sparse map is not a list of numbers');
    return undefined;
  }

  #complete(): boolean {
    const [count] = this.#numbers;
    return count !== undefined && this.#numbers.length >= 1 + 2 * count;
  }

  #parse(text: string): number {
    const value = parseDecimal(text, 'sparse map', this.#at);
    if (value < 0) throw this.#at.invalid(`sparse map has the negative number ${value}`);
    return value;
  }
}

/**
 * Appends the ranges that stand in an old GNU header (4 from byte 386) or in an extension block
 * (21 from byte 0). An empty offset field ends the list of a block.
 *
 * @returns whether another extension block follows
 */
export function readOldSparseRanges(
  block: Buffer,
  place: 'header' | 'extension',
  ranges: SparseRange[],
  at: TarPosition,
): boolean {
  const first = place === 'header' ? 386 : 0;
  const count = place === 'header' ? 4 : 21;
  for (let i = 0; i < count; i++) {
    const start = first + i * OLD_ENTRY;
    if (block[start] === 0) break;
    ranges.push({
      offset: parseNumeric(block, { label: 'sparse offset', start, length: 12 }, at),
      length: parseNumeric(block, { label: 'sparse length', start: start + 12, length: 12 }, at),
    });
  }
  return (block[first + count * OLD_ENTRY] as number) !== 0;
}

/**
 * Checks a map against the sizes it has to fit.
 *
 * @param size real size of the file
 * @param stored bytes of the file that are in the archive
 * @throws {StorageError} `TAR_INVALID`
 */
export function checkSparseMap(
  ranges: readonly SparseRange[],
  size: number,
  stored: number,
  at: TarPosition,
): void {
  let end = 0;
  let sum = 0;
  for (const range of ranges) {
    const next = range.offset + range.length;
    if (range.offset < end || range.length < 0 || !Number.isSafeInteger(next)) {
      throw at.invalid('sparse map is out of order');
    }
    end = next;
    sum += range.length;
  }
  if (end > size) throw at.invalid(`sparse map goes beyond the size of the file (${end} > ${size})`);
  if (sum > stored) throw at.invalid('sparse file references non-existent data');
  if (sum < stored) throw at.invalid('sparse file contains unreferenced data');
}

function textOf(records: PaxRecords, key: string): string {
  return records.get(key)?.toString('latin1') ?? '';
}
