/**
 * Records of a PAX extended header: `"<length> <key>=<value>\n"`, values being bytes.
 * Source: POSIX `pax`, "pax Extended Header"; strictness as in Go's `archive/tar`.
 */
import type { TarPosition } from './tarPosition.ts';

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const MIN_RECORD = 5;

/** Keys are Latin-1 decoded bytes, so that no byte is lost; values are copies. */
export type PaxRecords = Map<string, Buffer>;

const TEXT_KEYS: ReadonlySet<string> = new Set(['path', 'linkpath', 'uname', 'gname']);

/**
 * Parses a whole payload. The last record of a key wins. The repeated pairs of the sparse format
 * 0.0 are joined into a `GNU.sparse.map`, which is how format 0.1 writes them.
 *
 * @throws {StorageError} `TAR_INVALID`
 */
export function parsePaxRecords(payload: Buffer, at: TarPosition): PaxRecords {
  const records: PaxRecords = new Map();
  const sparseMap: string[] = [];
  for (let start = 0; start < payload.length; ) {
    const { key, value, end } = readRecord(payload, start, at);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      addSparsePart(sparseMap, key, value.toString('latin1'), at);
    } else {
      records.delete(key);
      records.set(key, value);
    }
    start = end;
  }
  if (sparseMap.length > 0) records.set('GNU.sparse.map', Buffer.from(sparseMap.join(','), 'latin1'));
  return records;
}

interface PaxRecord {
  key: string;
  value: Buffer;
  end: number;
}

function readRecord(payload: Buffer, start: number, at: TarPosition): PaxRecord {
  const space = payload.indexOf(SPACE, start);
  const digits = space < 0 ? '' : payload.toString('latin1', start, Math.min(space, start + 20));
  const length = /^\+?[0-9]+$/.test(digits) ? Number(digits) : -1;
  const end = start + length;
  if (length < MIN_RECORD || end > payload.length || end - 1 <= space || payload[end - 1] !== NEWLINE) {
    throw at.invalid(`PAX record at byte ${start} of its payload has a wrong length`);
  }
  const equals = payload.indexOf(EQUALS, space + 1);
  if (equals < 0 || equals >= end - 1) throw at.invalid(`PAX record at byte ${start} has no "="`);
  const key = payload.toString('latin1', space + 1, equals);
  const value = Buffer.from(payload.subarray(equals + 1, end - 1));
  if (key === '') throw at.invalid(`PAX record at byte ${start} has no key`);
  if (TEXT_KEYS.has(key) ? value.includes(0) : key.includes('\0')) {
    throw at.invalid(`PAX record ${JSON.stringify(key)} contains a NUL byte`);
  }
  return { key, value, end };
}

function addSparsePart(map: string[], key: string, value: string, at: TarPosition): void {
  const expected = map.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
  if (key !== expected || value.includes(',')) {
    throw at.invalid(`PAX sparse map: ${key} where ${expected} was expected`);
  }
  map.push(value);
}
