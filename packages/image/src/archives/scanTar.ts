/**
 * Finds the entries of an outer archive by its headers alone; payloads are skipped by their length.
 *
 * Header blocks and PAX records are decoded by node-tar. What it leaves out is here: GNU long names,
 * the order in which names and sizes override each other, and the rules for damaged archives. The
 * rules are those of Go's `archive/tar`, so that we accept what every other image tool accepts.
 */
import type { FileHandle } from 'node:fs/promises';
import { StorageError } from '@sediment/core';
// One by one: the package as a whole is some twenty modules that make and unpack archives.
import { Header } from 'tar/header';
import { Pax } from 'tar/pax';
import { readAt } from './fileBytes.ts';
import { cleanTarPath, type TarEntry, type TarEntryType, TarIndex } from './tarIndex.ts';
import { throwIfAborted } from './throwIfAborted.ts';

const BLOCK = 512;
/** Largest PAX record set or long name, in bytes; as in Go. */
const EXTENSION_LIMIT = 1024 * 1024;

export interface ScanTarRequest {
  readonly file: FileHandle;
  /** Length of the file in bytes. */
  readonly size: number;
  /** What the user knows the archive as, for messages. */
  readonly location: string;
  readonly signal?: AbortSignal;
}

/** What the headers in front of an entry say about it. */
interface Extensions {
  pax?: Pax;
  longName?: string;
  longLink?: string;
}

/**
 * @throws {StorageError} `SOURCE_UNRECOGNIZED` when it is no tar archive, `TAR_TRUNCATED` and
 *   `ARCHIVE_INVALID` with the offset of the damage, `ABORTED`
 */
export async function scanTar(request: ScanTarRequest): Promise<TarIndex> {
  const entries: TarEntry[] = [];
  let extensions: Extensions = {};
  let offset = 0;
  for (;;) {
    throwIfAborted(request.signal);
    const header = await readHeader(request, offset);
    if (header === undefined) return new TarIndex(entries);
    offset += BLOCK;
    const type = header.type;
    const length = dataLength(header, extensions, request, offset);
    if (length > request.size - offset) throw truncated(request, offset, header.path);
    if (isExtension(type)) {
      if (length > EXTENSION_LIMIT) throw damaged(request, offset, `an extended header of ${length} bytes`);
      readExtension({ type, body: await readAt(request.file, offset, length), extensions, request, offset });
    } else {
      if (type === 'SparseFile') throw sparse(request, offset, header.path);
      entries.push(toEntry(header, extensions, { offset, size: length }));
      extensions = {};
    }
    offset += Math.ceil(length / BLOCK) * BLOCK;
  }
}

/** The header at `offset`; undefined at the end: of the file, or at the two zero blocks. */
async function readHeader(request: ScanTarRequest, offset: number): Promise<Header | undefined> {
  const block = await readAt(request.file, offset, BLOCK);
  if (block.length === 0 && offset > 0) return undefined;
  if (block.length < BLOCK) {
    if (offset === 0) throw notTar(request, request.size === 0 ? 'it is empty' : 'it is too short');
    throw truncated(request, offset);
  }
  const header = decodeHeader(request, block, offset);
  if (header.cksumValid) return header;
  const isZero = block.every((byte) => byte === 0);
  if (!isZero) {
    if (offset === 0) throw notTar(request, 'it has no tar header: archive/tar: invalid tar header');
    throw damaged(request, offset, 'a header with a wrong checksum');
  }
  const next = await readAt(request.file, offset + BLOCK, BLOCK);
  if (next.every((byte) => byte === 0)) return undefined;
  throw damaged(request, offset, 'a zero block between two entries');
}

function decodeHeader(request: ScanTarRequest, block: Buffer, offset: number): Header {
  try {
    return new Header(block);
  } catch (cause) {
    // node-tar throws on a base-256 number that it cannot represent.
    if (offset === 0) throw notTar(request, 'it has no tar header: archive/tar: invalid tar header', cause);
    throw damaged(request, offset, 'a header with a malformed number', cause);
  }
}

const TYPES: Readonly<Record<string, TarEntryType>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Directory: 'directory',
  SymbolicLink: 'symlink',
  Link: 'hardlink',
};
/** Types whose size field does not count: nothing follows their header. */
const WITHOUT_DATA = new Set(['Directory', 'SymbolicLink', 'Link', 'CharacterDevice', 'BlockDevice', 'FIFO']);

function dataLength(header: Header, { pax }: Extensions, request: ScanTarRequest, offset: number): number {
  if (WITHOUT_DATA.has(header.type)) return 0;
  const length = isExtension(header.type) ? header.size : (pax?.size ?? header.size);
  if (length !== undefined && Number.isSafeInteger(length) && length >= 0) return length;
  throw damaged(request, offset, `entry ${JSON.stringify(header.path)} with a malformed size`);
}

type ExtensionType =
  | 'ExtendedHeader'
  | 'GlobalExtendedHeader'
  | 'NextFileHasLongPath'
  | 'NextFileHasLongLinkpath';

function isExtension(type: string): type is ExtensionType {
  return /^(?:Global)?ExtendedHeader$|^NextFileHasLong(?:Link)?[Pp]ath$/.test(type);
}

interface ExtensionBody {
  readonly type: ExtensionType;
  readonly body: Buffer;
  readonly extensions: Extensions;
  readonly request: ScanTarRequest;
  readonly offset: number;
}

/** Global headers may not set names or sizes, so nothing in them matters here. */
function readExtension({ type, body, extensions, request, offset }: ExtensionBody): void {
  const text = body.toString();
  if (type === 'NextFileHasLongPath') extensions.longName = untilNul(text);
  else if (type === 'NextFileHasLongLinkpath') extensions.longLink = untilNul(text);
  else if (type === 'ExtendedHeader') {
    if (/^\d+ GNU\.sparse\./m.test(text)) {
      throw sparse(request, offset, /^\d+ GNU\.sparse\.name=(.*)$/m.exec(text)?.[1]);
    }
    extensions.pax = Pax.parse(text);
  }
}

function untilNul(text: string): string {
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}

function toEntry(
  header: Header,
  { pax, longName, longLink }: Extensions,
  place: { readonly offset: number; readonly size: number },
): TarEntry {
  return {
    path: cleanTarPath(longName ?? (pax?.path || header.path || '')),
    type: TYPES[header.type] ?? 'other',
    ...place,
    linkpath: longLink ?? (pax?.linkpath || header.linkpath || ''),
  };
}

function notTar({ location }: ScanTarRequest, why: string, cause?: unknown): StorageError {
  return new StorageError('SOURCE_UNRECOGNIZED', `${location} is not a tar archive: ${why}`, {
    path: location,
    offset: 0,
    cause,
    hint: 'give a file made by "docker save", "podman save" or "skopeo copy"',
  });
}

function truncated({ location, size }: ScanTarRequest, offset: number, entry?: string): StorageError {
  const where =
    entry === undefined ? 'in the middle of a header' : `in the middle of ${JSON.stringify(entry)}`;
  return new StorageError('TAR_TRUNCATED', `${location} ends at byte ${size}, ${where}`, {
    path: location,
    offset: entry === undefined ? offset : size,
    hint: 'the archive is incomplete: copy or download it again',
  });
}

function damaged({ location }: ScanTarRequest, offset: number, what: string, cause?: unknown): StorageError {
  return new StorageError('ARCHIVE_INVALID', `${location} is damaged: ${what} at byte ${offset}`, {
    path: location,
    offset,
    cause,
    hint: 'make or copy the archive again',
  });
}

function sparse({ location }: ScanTarRequest, offset: number, entry: string | undefined): StorageError {
  const name = entry === undefined ? 'an entry' : JSON.stringify(entry);
  return new StorageError('ARCHIVE_INVALID', `${location}: ${name} is stored as a sparse file`, {
    path: location,
    offset,
    hint: 'pack the archive again without the option --sparse of tar',
  });
}
