import { closeSync, fstatSync, readSync } from 'node:fs';
import { wrapSystemError } from '@sediment/core';
import type { Driver } from '../drivers/driver.ts';

const BLOCK_BYTES = 1024 * 1024;

/**
 * The content of a file of a layer, by its name in the layer's tar; chunks are valid until the next one is
 * asked for.
 *
 * @throws {StorageError} `FILE_INTEGRITY` when there is no such file; `IO`
 */
export async function* openLayerFile(
  driver: Driver,
  id: string,
  name: Buffer,
): AsyncGenerator<Uint8Array, void, undefined> {
  const fd = driver.openFile(id, name);
  try {
    // Most files are small, and there are many.
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, fstatSync(fd).size + 1));
    for (let length = read(fd, block, id, name); length > 0; length = read(fd, block, id, name)) {
      yield block.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

function read(fd: number, block: Buffer, id: string, name: Buffer): number {
  try {
    return readSync(fd, block, 0, block.length, null);
  } catch (error) {
    throw wrapSystemError(error, `reading ${JSON.stringify(name.toString())} of layer ${id}`, 'IO', {
      object: id,
      path: name.toString(),
    });
  }
}
