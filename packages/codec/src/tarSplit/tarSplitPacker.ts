import { isUtf8 } from 'node:buffer';
import { cleanPath, goJsonStringify, StorageError } from '@sediment/core';
import { Crc64 } from '../crc64/crc64.ts';
import type { TarHeader } from '../tar/tarHeader.ts';
import type { TarHandler } from '../tar/tarReader.ts';

export interface TarSplitPackerOptions {
  /** Receives the JSON lines in large pieces; they are valid during the call only. */
  output(jsonLines: Uint8Array): void;
  /** Names the tar stream in error messages. */
  readonly what?: string;
}

const OUTPUT_SIZE = 256 * 1024;
/** Longest segment: limits the memory that trailing bytes and sparse content take. */
const SEGMENT_SIZE = 1024 * 1024;
const INITIAL_RAW = 16 * 1024;

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
  readonly #output: (jsonLines: Uint8Array) => void;
  readonly #what: string;
  readonly #lines = Buffer.allocUnsafe(OUTPUT_SIZE);
  #linesFill = 0;
  #raw = Buffer.allocUnsafe(INITIAL_RAW);
  #rawFill = 0;
  #position = 0;
  readonly #seen = new Set<string>();
  readonly #crc = new Crc64();
  /** The entry whose record is still to be written, because its content is not known yet. */
  #current: TarHeader | undefined;

  constructor(options: TarSplitPackerOptions) {
    this.#output = options.output;
    this.#what = options.what ?? 'tar stream';
  }

  raw(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; ) {
      if (this.#rawFill === SEGMENT_SIZE) this.#writeSegment();
      const length = Math.min(bytes.length - start, SEGMENT_SIZE - this.#rawFill);
      this.#reserve(this.#rawFill + length);
      this.#raw.set(length === bytes.length ? bytes : bytes.subarray(start, start + length), this.#rawFill);
      this.#rawFill += length;
      start += length;
    }
  }

  entry(header: TarHeader): void {
    this.#rememberPath(header.name);
    this.#writeSegment();
    if (header.size === 0 || header.sparse !== undefined) {
      this.#writeFile(header.name, 0, 'null');
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
    this.#writeFile(name, size, `"${this.#crc.digest().toString('base64')}"`);
    this.#current = undefined;
  }

  /** Writes the last segment (end blocks and trailing bytes, maybe empty) and hands out all lines. */
  finish(): void {
    this.#writeSegment();
    this.#flush();
  }

  #rememberPath(name: Buffer): void {
    const path = cleanPath(name).toString('latin1');
    if (this.#seen.has(path)) {
      const shown = cleanPath(name).toString();
      throw new StorageError(
        'TAR_DUPLICATE_PATH',
        `${this.#what}: duplicates of file paths not supported: ${JSON.stringify(shown)}`,
        { path: shown, hint: 'build the layer again so that each path occurs once' },
      );
    }
    this.#seen.add(path);
  }

  #reserve(size: number): void {
    if (size <= this.#raw.length) return;
    const grown = Buffer.allocUnsafe(Math.min(SEGMENT_SIZE, Math.max(size, this.#raw.length * 2)));
    grown.set(this.#raw.subarray(0, this.#rawFill));
    this.#raw = grown;
  }

  #writeSegment(): void {
    const payload = this.#raw.toString('base64', 0, this.#rawFill);
    this.#rawFill = 0;
    this.#writeLine(`{"type":2,"payload":"${payload}","position":${this.#position++}}\n`);
  }

  #writeFile(name: Buffer, size: number, payload: string): void {
    const sizeField = size === 0 ? '' : `"size":${size},`;
    const position = this.#position++;
    this.#writeLine(`{"type":1,${nameField(name)}${sizeField}"payload":${payload},"position":${position}}\n`);
  }

  #writeLine(line: string): void {
    // A UTF-16 unit takes at most 3 bytes of UTF-8.
    if (line.length * 3 > OUTPUT_SIZE - this.#linesFill) this.#flush();
    if (line.length * 3 > OUTPUT_SIZE) this.#output(Buffer.from(line));
    else this.#linesFill += this.#lines.write(line, this.#linesFill);
  }

  #flush(): void {
    if (this.#linesFill > 0) this.#output(this.#lines.subarray(0, this.#linesFill));
    this.#linesFill = 0;
  }
}

function nameField(name: Buffer): string {
  if (name.length === 0) return '';
  if (!isUtf8(name)) return `"name_raw":"${name.toString('base64')}",`;
  return `"name":${goJsonStringify(name.toString())},`;
}
