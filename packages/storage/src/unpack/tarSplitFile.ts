import { closeSync, fchmodSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { GzipLevel1Writer, type TarHandler, type TarHeader, TarSplitPacker } from '@sediment/codec';
import { wrapSystemError } from '@sediment/core';
import { awaitWritten } from './fileWriteback.ts';

const MODE = 0o600;

/** Writes the tar-split of a layer to a new file; a sink for what `TarReader` finds. */
export class TarSplitFile implements TarHandler {
  readonly #path: string;
  readonly #what: string;
  readonly #packer: TarSplitPacker;
  readonly #gzip: GzipLevel1Writer;
  #fd: number | undefined;

  /**
   * @param path must not exist
   * @param what names the layer, for messages
   */
  constructor(path: string, what: string) {
    this.#path = path;
    this.#what = what;
    this.#gzip = new GzipLevel1Writer((bytes) => this.#write(bytes));
    this.#packer = new TarSplitPacker({ what, output: (lines) => this.#gzip.write(lines) });
    this.#fd = this.#io(() => openSync(path, 'wx', MODE));
  }

  raw(bytes: Uint8Array): void {
    this.#packer.raw(bytes);
  }

  /** @throws {StorageError} `TAR_DUPLICATE_PATH` */
  entry(header: TarHeader): void {
    this.#packer.entry(header);
  }

  data(bytes: Uint8Array): void {
    this.#packer.data(bytes);
  }

  entryEnd(): void {
    this.#packer.entryEnd();
  }

  /** Completes and closes the file. */
  finish(): void {
    this.#packer.finish();
    this.#gzip.finish();
    const fd = this.#fd as number;
    this.#io(() => fchmodSync(fd, MODE));
    this.#io(() => awaitWritten(fd));
    this.#fd = undefined;
    this.#io(() => closeSync(fd));
  }

  /** Closes and removes the file; also after {@link finish}. */
  discard(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#io(() => unlinkSync(this.#path));
  }

  #write(bytes: Uint8Array): void {
    this.#io(() => {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#fd as number, bytes, written, bytes.length - written);
      }
    });
  }

  #io<T>(fn: () => T): T {
    try {
      return fn();
    } catch (error) {
      const path = this.#path;
      throw wrapSystemError(error, `${this.#what}: writing the tar-split ${path}`, 'IO', { path });
    }
  }
}
