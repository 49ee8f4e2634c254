import type { BlockFields } from './headerBlock.ts';
import type { PaxRecords } from './paxRecords.ts';
import type { TarXattr } from './tarHeader.ts';
import { ownerId, parseDecimal } from './tarNumber.ts';
import type { TarPosition } from './tarPosition.ts';

const XATTR_PREFIX = 'SCHILY.xattr.';
const SECOND_NS = 1_000_000_000n;

/**
 * Overrides header fields by the entry's PAX records; an empty value keeps the field. Returns the
 * extended attributes among them.
 *
 * @throws {StorageError} `TAR_INVALID` for values that are no numbers or out of range
 */
export function applyPax(fields: BlockFields, records: PaxRecords, at: TarPosition): TarXattr[] {
  const xattrs: TarXattr[] = [];
  for (const [key, value] of records) {
    if (value.length === 0) continue;
    if (key.startsWith(XATTR_PREFIX)) {
      xattrs.push({ name: Buffer.from(key.slice(XATTR_PREFIX.length), 'latin1'), value });
    } else {
      applyRecord(fields, key, value, at);
    }
  }
  return xattrs;
}

function applyRecord(fields: BlockFields, key: string, value: Buffer, at: TarPosition): void {
  switch (key) {
    case 'path':
      fields.name = value;
      break;
    case 'linkpath':
      fields.linkname = value;
      break;
    case 'uname':
      fields.uname = value;
      break;
    case 'gname':
      fields.gname = value;
      break;
    case 'uid':
      fields.uid = ownerId(parseDecimal(value.toString('latin1'), 'PAX uid', at), 'PAX uid', at);
      break;
    case 'gid':
      fields.gid = ownerId(parseDecimal(value.toString('latin1'), 'PAX gid', at), 'PAX gid', at);
      break;
    case 'size':
      fields.size = parseDecimal(value.toString('latin1'), 'PAX size', at);
      break;
    case 'mtime':
      fields.mtimeNs = parsePaxTime(value.toString('latin1'), key, at);
      break;
    case 'atime':
      fields.atimeNs = parsePaxTime(value.toString('latin1'), key, at);
      break;
    case 'ctime':
      fields.ctimeNs = parsePaxTime(value.toString('latin1'), key, at);
      break;
  }
}

/** `seconds[.fraction]` to nanoseconds; digits past the ninth are cut off, not rounded. */
function parsePaxTime(text: string, key: string, at: TarPosition): bigint {
  const match = /^([+-]?[0-9]+)(?:\.([0-9]*))?$/.exec(text);
  if (match === null) throw at.invalid(`PAX ${key} ${JSON.stringify(text)} is not a time`);
  const whole = BigInt(parseDecimal(match[1] as string, `PAX ${key}`, at));
  const fraction = BigInt((match[2] ?? '').slice(0, 9).padEnd(9, '0'));
  return whole * SECOND_NS + (text.startsWith('-') ? -fraction : fraction);
}
