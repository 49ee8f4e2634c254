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
    return new OpenLayerFile({ ...opened, id: this.#id, name });
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

interface OpenedFile extends OpenedInside {
  readonly id: string;
  readonly name: Buffer;
}

class OpenLayerFile implements LayerFile {
  readonly size: number;
  readonly #file: OpenedFile;

  constructor(file: OpenedFile) {
    this.size = file.size;
    this.#file = file;
  }

  read(into: Buffer): number {
    const { fd, id, name } = this.#file;
    try {
      return readSync(fd, into, 0, into.length, null);
    } catch (error) {
      throw wrapSystemError(error, `reading ${JSON.stringify(name.toString())} of layer ${id}`, 'IO', {
        object: id,
        path: name.toString(),
      });
    }
  }

  close(): void {
    const { fd, close } = this.#file;
    close(fd);
  }
}
