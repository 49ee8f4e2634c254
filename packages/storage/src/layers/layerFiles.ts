import { closeSync, fstatSync, readSync } from 'node:fs';
import type { LayerFile } from '@sediment/codec';
import { wrapSystemError } from '@sediment/core';
import type { Driver } from '../drivers/driver.ts';
import { InsideDirectory, type OpenedInside } from '../drivers/openInside.ts';

/** The files of a layer, by their names in the layer's tar. Whoever made it closes it. */
export class LayerFiles {
  readonly #driver: Driver;
  readonly #id: string;
  readonly #directories: readonly InsideDirectory[];

  constructor(driver: Driver, id: string) {
    this.#driver = driver;
    this.#id = id;
    this.#directories = driver.contentDirectories(id).map((path) => new InsideDirectory(path));
  }

  /** @throws {StorageError} `FILE_INTEGRITY` when there is no such file; `IO`, also from reading it */
  open(name: Buffer): LayerFile {
    const opened = this.#openOwn(name) ?? this.#openByDriver(name);
    return new OpenLayerFile(opened, this.#id, name);
  }

  close(): void {
    for (const directory of this.#directories) directory.close();
  }

  /** Almost every file lies where the layer was unpacked to; the others the driver knows. */
  #openOwn(name: Buffer): OpenedInside | undefined {
    for (const directory of this.#directories) {
      const opened = directory.open(name);
      if (opened !== undefined) return opened;
    }
    return undefined;
  }

  #openByDriver(name: Buffer): OpenedInside {
    const fd = this.#driver.openFile(this.#id, name);
    try {
      return { fd, size: fstatSync(fd).size, close: closeSync };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
}

/** Made for each file: what is made of others with `...` takes five times as long. */
class OpenLayerFile implements LayerFile {
  readonly size: number;
  readonly #opened: OpenedInside;
  readonly #id: string;
  readonly #name: Buffer;

  constructor(opened: OpenedInside, id: string, name: Buffer) {
    this.size = opened.size;
    this.#opened = opened;
    this.#id = id;
    this.#name = name;
  }

  read(into: Buffer): number {
    try {
      return readSync(this.#opened.fd, into, 0, into.length, null);
    } catch (error) {
      const name = this.#name.toString();
      throw wrapSystemError(error, `reading ${JSON.stringify(name)} of layer ${this.#id}`, 'IO', {
        object: this.#id,
        path: name,
      });
    }
  }

  close(): void {
    this.#opened.close(this.#opened.fd);
  }
}
