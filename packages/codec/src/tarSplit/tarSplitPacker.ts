import { isUtf8 } from 'node:buffer';
import { cleanPath, goJsonStringify, StorageError } from '@sediment/core';
import { Crc64 } from '../crc64/crc64.ts';
import type { TarHeader } from '../tar/tarHeader.ts';
import type { TarHandler } from '../tar/tarReader.ts';
import { LineBuffer } from './lineBuffer.ts';
import { PathSet } from './pathSet.ts';
import { newMemory } from './putBase64.ts';

export interface TarSplitPackerOptions {
  /** Receives the JSON lines in large pieces; they are valid during the call only. */
  output(jsonLines: Uint8Array): void;
  /** Names the tar stream in error messages. */
  readonly what?: string;
}

/** Longest segment: limits the memory that trailing bytes and sparse content take. */
const SEGMENT_SIZE = 1024 * 1024;
const INITIAL_RAW = 16 * 1024;
const CRC_SIZE = 8;
/** Longer names are written as text, whatever is in them. */
const SHORT_NAME = 4096;

const TEXT = {
  segment: Buffer.from('{"type":2,"payload":"'),
  file: Buffer.from('{"type":1,'),
  name: Buffer.from('"name":"'),
  nameEnd: Buffer.from('",'),
  size: Buffer.from('"size":'),
  crc: Buffer.from(',"payload":"'),
  noCrc: Buffer.from('"payload":null,"position":'),
  position: Buffer.from('","position":'),
  end: Buffer.from('}\n'),
};

/**
 * Writes the tar-split form of a layer: every byte that is not file content, and name, size and
 * CRC-64 of each file, so that the exact tar can be made again from the unpacked files. Feed it all
 * events of a {@link TarReader}, then `finish`.
 *
 * Differs from upstream where upstream's records cannot be assembled again: types without content
 * have size 0 whatever their header says, and sparse files keep their stored bytes in segments
 * behind a record of size 0, which every reader skips.
 *
 * Source: tar-split, `tar/asm/disassemble.go` and `tar/storage/entry.go`.
 *
 * @throws {StorageError} `TAR_DUPLICATE_PATH` from `entry`
 */
export class TarSplitPacker implements TarHandler {
  readonly #what: string;
  readonly #lines: LineBuffer;
  #raw = newMemory(INITIAL_RAW);
  #rawFill = 0;
  #position = 0;
  readonly #seen = new PathSet();
  readonly #crc = new Crc64();
  readonly #crcBytes = newMemory(CRC_SIZE);
  /** The entry whose record is still to be written, because its content is not known yet. */
  #current: TarHeader | undefined;

  constructor(options: TarSplitPackerOptions) {
    this.#lines = new LineBuffer((lines) => options.output(lines));
    this.#what = options.what ?? 'tar stream';
  }

  raw(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; ) {
      if (this.#rawFill === SEGMENT_SIZE) this.#writeSegment();
      const length = Math.min(bytes.length - start, SEGMENT_SIZE - this.#rawFill);
      this.#reserve(this.#rawFill + length);
      const part = length === bytes.length ? bytes : bytes.subarray(start, start + length);
      this.#raw.bytes.set(part, this.#rawFill);
      this.#rawFill += length;
      start += length;
    }
  }

  entry(header: TarHeader): void {
    this.#rememberPath(header.name);
    this.#writeSegment();
    if (header.size === 0 || header.sparse !== undefined) {
      this.#writeFile(header.name, 0);
    } else {
      this.#current = header;
      this.#crc.reset();
    }
  }

  data(bytes: Uint8Array): void {
    if (this.#current !== undefined) this.#crc.update(bytes);
  }

  entryEnd(): void {
    if (this.#current === undefined) return;
    const { name, size } = this.#current;
    this.#crc.digestInto(this.#crcBytes.bytes);
    this.#writeFile(name, size);
    this.#current = undefined;
  }

  /** Writes the last segment (end blocks and trailing bytes, maybe empty) and hands out all lines. */
  finish(): void {
    this.#writeSegment();
    this.#lines.flush();
  }

  #rememberPath(name: Buffer): void {
    const path = cleanPath(name);
    if (this.#seen.add(path)) return;
    const shown = path.toString();
    throw new StorageError(
      'TAR_DUPLICATE_PATH',
      `${this.#what}: duplicates of file paths not supported: ${JSON.stringify(shown)}`,
      { path: shown, hint: 'build the layer again so that each path occurs once' },
    );
  }

  #reserve(size: number): void {
    const { bytes } = this.#raw;
    if (size <= bytes.length) return;
    const grown = newMemory(Math.min(SEGMENT_SIZE, Math.max(size, bytes.length * 2)));
    grown.bytes.set(bytes.subarray(0, this.#rawFill));
    this.#raw = grown;
  }

  #writeSegment(): void {
    this.#lines.ascii(TEXT.segment);
    this.#lines.base64(this.#raw, this.#rawFill);
    this.#rawFill = 0;
    this.#lines.ascii(TEXT.position);
    this.#endLine();
  }

  /** The checksum of a file with content is taken from `#crcBytes`. */
  #writeFile(name: Buffer, size: number): void {
    const lines = this.#lines;
    lines.ascii(TEXT.file);
    this.#writeName(name);
    if (size === 0) {
      lines.ascii(TEXT.noCrc);
    } else {
      lines.ascii(TEXT.size);
      lines.number(size);
      lines.ascii(TEXT.crc);
      lines.base64(this.#crcBytes, CRC_SIZE);
      lines.ascii(TEXT.position);
    }
    this.#endLine();
  }

  #writeName(name: Buffer): void {
    if (name.length === 0) return;
    if (!isPlain(name)) {
      this.#lines.text(nameField(name));
      return;
    }
    this.#lines.ascii(TEXT.name);
    this.#lines.ascii(name);
    this.#lines.ascii(TEXT.nameEnd);
  }

  #endLine(): void {
    this.#lines.number(this.#position++);
    this.#lines.ascii(TEXT.end);
  }
}

/** Whether a name stands in JSON as it is: short, ASCII, nothing that Go's encoder escapes. */
function isPlain(name: Buffer): boolean {
  if (name.length > SHORT_NAME) return false;
  for (let i = 0; i < name.length; i++) if (PLAIN[name[i] as number] !== 1) return false;
  return true;
}

const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && !'"\\<>&'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

function nameField(name: Buffer): string {
  if (!isUtf8(name)) return `"name_raw":"${name.toString('base64')}",`;
  return `"name":${goJsonStringify(name.toString())},`;
}
