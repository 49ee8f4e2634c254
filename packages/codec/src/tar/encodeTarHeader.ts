import { cleanPath, StorageError } from '@sediment/core';
import { BLOCK_SIZE } from './headerBlock.ts';
import { fitsOctal, putOctal, putText, sealBlock } from './headerFields.ts';
import { TAR_TYPE, type TarXattr } from './tarHeader.ts';
import { isAscii, onlyAscii, splitUstarName } from './ustarName.ts';

/** An entry to be written. Owners are numbers only, and times have whole seconds, as layer archives have them. */
export interface NewTarEntry {
  /** Relative, without a leading `/`; a directory's ends with a slash. */
  readonly name: Buffer;
  readonly typeflag: number;
  /** Target of a symlink, or the name of the entry that a hard link is another name of. */
  readonly linkname?: Buffer;
  /** Permission, set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content that follow; 0 if absent. */
  readonly size?: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  readonly devmajor?: number;
  readonly devminor?: number;
  readonly xattrs?: readonly TarXattr[];
}

const EMPTY = Buffer.alloc(0);
const NAME_BYTES = 100;
const ID_BYTES = 8;
const LONG_BYTES = 12;
/** What readers accept as an extended header (Go's `archive/tar`). */
const MAX_PAX_BYTES = 1024 * 1024;

/**
 * The header blocks of an entry, byte for byte as Go's `archive/tar` writes them when it is asked for
 * the PAX format: plain ustar wherever that can say all, else an extended header in front.
 *
 * @throws {StorageError} `TAR_ENTRY_UNSUPPORTED` for what no header can hold: attributes of more than
 *   1 MiB, or an attribute name with `=`
 */
export function encodeTarHeader(entry: NewTarEntry): Buffer {
  const records = paxRecordsOf(entry);
  const split = splitUstarName(entry.name);
  if (records.size === 0) return mainBlock(entry, entry.name, EMPTY);
  if (split !== undefined && records.size === 1 && records.has('path')) {
    return mainBlock(entry, split.name, split.prefix);
  }
  const main = mainBlock(
    { ...entry, linkname: onlyAscii(entry.linkname ?? EMPTY) },
    onlyAscii(entry.name),
    EMPTY,
  );
  return Buffer.concat([extendedHeader(entry.name, records), main]);
}

/** The zeros that fill up content of `size` bytes to whole blocks. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE);
}

/** The two zero blocks that end an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK_SIZE);
}

function mainBlock(entry: NewTarEntry, name: Buffer, prefix: Buffer): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE);
  putText(block, 0, NAME_BYTES, name);
  putOctal(block, 100, ID_BYTES, entry.mode);
  putOctal(block, 108, ID_BYTES, entry.uid);
  putOctal(block, 116, ID_BYTES, entry.gid);
  putOctal(block, 124, LONG_BYTES, entry.size ?? 0);
  putOctal(block, 136, LONG_BYTES, entry.mtime);
  block[156] = entry.typeflag;
  putText(block, 157, NAME_BYTES, entry.linkname ?? EMPTY);
  putOctal(block, 329, ID_BYTES, entry.devmajor ?? 0);
  putOctal(block, 337, ID_BYTES, entry.devminor ?? 0);
  putText(block, 345, prefix.length, prefix);
  sealBlock(block);
  return block;
}

/** What the fields of a block cannot hold, by PAX key; keys are Latin-1 decoded bytes. */
function paxRecordsOf(entry: NewTarEntry): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  const { name, linkname = EMPTY, size = 0 } = entry;
  if (name.length > NAME_BYTES || !isAscii(name)) records.set('path', name);
  if (linkname.length > NAME_BYTES || !isAscii(linkname)) records.set('linkpath', linkname);
  for (const [key, value, length] of [
    ['uid', entry.uid, ID_BYTES],
    ['gid', entry.gid, ID_BYTES],
    ['size', size, LONG_BYTES],
    ['mtime', entry.mtime, LONG_BYTES],
  ] as const) {
    if (!fitsOctal(value, length)) records.set(key, Buffer.from(String(value)));
  }
  for (const xattr of entry.xattrs ?? []) addXattr(records, xattr, name);
  return records;
}

function addXattr(records: Map<string, Buffer>, { name, value }: TarXattr, entryName: Buffer): void {
  if (name.includes('=')) {
    throw unsupported(entryName, `its attribute ${JSON.stringify(name.toString())} has a "=" in its name`);
  }
  records.set(`SCHILY.xattr.${name.toString('latin1')}`, value);
}

function extendedHeader(name: Buffer, records: ReadonlyMap<string, Buffer>): Buffer {
  const keys = [...records.keys()].sort();
  const payload = Buffer.concat(keys.map((key) => paxRecord(key, records.get(key) as Buffer)));
  if (payload.length > MAX_PAX_BYTES) throw unsupported(name, 'its attributes are longer than 1 MiB');
  const block = Buffer.alloc(BLOCK_SIZE);
  putText(block, 0, NAME_BYTES, headerName(name));
  putOctal(block, 100, ID_BYTES, 0);
  putOctal(block, 108, ID_BYTES, 0);
  putOctal(block, 116, ID_BYTES, 0);
  putOctal(block, 124, LONG_BYTES, payload.length);
  putOctal(block, 136, LONG_BYTES, 0);
  block[156] = TAR_TYPE.paxExtended;
  sealBlock(block);
  return Buffer.concat([block, payload, tarPadding(payload.length)]);
}

/** `<directory>/PaxHeaders.0/<file>`, as far as it fits: readers ignore it. */
function headerName(name: Buffer): Buffer {
  const slash = name.lastIndexOf('/');
  const path = Buffer.concat([name.subarray(0, slash + 1), PAX_DIRECTORY, name.subarray(slash + 1)]);
  const short = onlyAscii(cleanPath(path)).subarray(0, NAME_BYTES);
  let end = short.length;
  while (end > 0 && short[end - 1] === SLASH) end--;
  return short.subarray(0, end);
}

const PAX_DIRECTORY = Buffer.from('PaxHeaders.0/');
const SLASH = 0x2f;

/** `"<length> <key>=<value>\n"`, where the length counts itself. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, 'latin1'), value, Buffer.from('\n')]);
}

function unsupported(name: Buffer, why: string): StorageError {
  return new StorageError('TAR_ENTRY_UNSUPPORTED', `${JSON.stringify(name.toString())}: ${why}`, {
    path: name.toString(),
  });
}
