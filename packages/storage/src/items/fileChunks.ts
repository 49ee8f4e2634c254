import { closeSync, openSync, readSync } from 'node:fs';
import { wrapSystemError } from '@sediment/core';

const CHUNK = 256 * 1024;

/**
 * The content of an open file, piece by piece; each piece is valid until the next one is pulled. Closes the
 * descriptor in the end.
 *
 * @param what names the file, for messages
 * @throws {StorageError} `IO` and its like
 */
export function* chunksOf(fd: number, what: string): Generator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  try {
    for (let length = read(fd, buffer, what); length > 0; length = read(fd, buffer, what)) {
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

/** {@link chunksOf} of the file with that path. */
export function* fileChunks(path: string): Generator<Buffer, void, undefined> {
  yield* chunksOf(open(path), path);
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw wrapSystemError(error, `opening ${path}`, 'IO', { path });
  }
}

function read(fd: number, buffer: Buffer, what: string): number {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    throw wrapSystemError(error, `reading ${what}`, 'IO', { path: what });
  }
}
