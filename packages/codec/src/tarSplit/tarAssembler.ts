import { StorageError } from '@sediment/core';
import { Crc64 } from '../crc64/crc64.ts';
import type { TarSplitEntry } from './tarSplitEntry.ts';

/** An opened file of a layer. */
export interface LayerFile {
  /** In bytes. */
  readonly size: number;
  /** Reads the next bytes to the start of `into`. @returns how many, 0 at the end only */
  read(into: Buffer): number;
  close(): void;
}

/** Opens a layer's file by its name as in the tar header; must not leave the layer. */
export type OpenLayerFile = (name: Buffer) => LayerFile;

export interface TarAssemblerOptions {
  readonly open: OpenLayerFile;
  /** What to fill next. It is asked for once the chunk before was taken, and may be the same again. */
  readonly nextBuffer: () => Buffer;
}

type FileEntry = Extract<TarSplitEntry, { type: 'file' }>;

const NO_CONTENT = Buffer.alloc(8);

/**
 * Makes a layer's tar again, byte for byte, into buffers that are filled to the end. Everything is synchronous, since a
 * layer consists of very many small pieces.
 *
 * Upstream writes directories and links whose header claims a size with the CRC of nothing, and then
 * cannot assemble its own file; such records are taken for what they are, entries without content.
 */
export class TarAssembler {
  readonly #options: TarAssemblerOptions;
  readonly #crc = new Crc64();
  #buffer: Buffer;
  #fill = 0;

  constructor(options: TarAssemblerOptions) {
    this.#options = options;
    this.#buffer = options.nextBuffer();
  }

  /**
   * Assembles further entries; what does not fill a buffer is kept. A chunk is what was filled of a buffer.
   *
   * @throws {StorageError} `FILE_INTEGRITY` when a file is not what was unpacked; by then part of its bytes may have been
   *   yielded. Errors of files pass through.
   */
  *add(entries: Iterable<TarSplitEntry>): Generator<Buffer, void, undefined> {
    for (const entry of entries) {
      if (entry.type === 'file') {
        if (entry.size > 0 && entry.crc?.equals(NO_CONTENT) !== true) yield* this.#addFile(entry);
      } else if (this.#fill + entry.payload.length < this.#buffer.length) {
        entry.payload.copy(this.#buffer, this.#fill);
        this.#fill += entry.payload.length;
      } else {
        yield* this.#addLong(entry.payload);
      }
    }
  }

  /** What is left in the last buffer. */
  *end(): Generator<Buffer, void, undefined> {
    if (this.#fill > 0) yield this.#buffer.subarray(0, this.#fill);
    this.#fill = 0;
  }

  *#addLong(bytes: Buffer): Generator<Buffer, void, undefined> {
    for (let start = 0; start < bytes.length; ) {
      const length = bytes.copy(this.#buffer, this.#fill, start);
      this.#fill += length;
      start += length;
      yield* this.#handOverIfFull();
    }
  }

  *#addFile(entry: FileEntry): Generator<Buffer, void, undefined> {
    const file = this.#options.open(entry.name);
    try {
      if (file.size !== entry.size) throw wrongSize(entry, file.size);
      this.#crc.reset();
      for (let missing = entry.size; missing > 0; ) {
        const room = this.#buffer.subarray(this.#fill, Math.min(this.#fill + missing, this.#buffer.length));
        const length = file.read(room);
        if (length === 0) throw wrongSize(entry, entry.size - missing);
        this.#crc.update(length === room.length ? room : room.subarray(0, length));
        missing -= length;
        this.#fill += length;
        yield* this.#handOverIfFull();
      }
      const actual = this.#crc.digest();
      if (entry.crc?.equals(actual) !== true) throw wrongContent(entry, actual);
    } finally {
      file.close();
    }
  }

  *#handOverIfFull(): Generator<Buffer, void, undefined> {
    if (this.#fill < this.#buffer.length) return;
    yield this.#buffer;
    this.#buffer = this.#options.nextBuffer();
    this.#fill = 0;
  }
}

function wrongSize(entry: FileEntry, actual: number): StorageError {
  return damaged(entry, { expected: entry.size, actual });
}

function wrongContent(entry: FileEntry, actual: Buffer): StorageError {
  return damaged(entry, { expected: entry.crc?.toString('hex') ?? '', actual: actual.toString('hex') });
}

function damaged(
  entry: FileEntry,
  facts: { readonly expected: string | number; readonly actual: string | number },
): StorageError {
  const name = entry.name.toString();
  return new StorageError('FILE_INTEGRITY', `file integrity checksum failed for ${JSON.stringify(name)}`, {
    path: name,
    ...facts,
    hint: 'the file was changed in the store after the layer was unpacked; import the image anew',
  });
}
