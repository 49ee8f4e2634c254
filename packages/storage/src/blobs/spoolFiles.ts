import { closeSync, fchmodSync, fdatasyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { errnoCode, wrapSystemError } from '@sediment/core';
import type { TempDir } from '../staging/tempDirRoot.ts';

export const BLOB_MODE = 0o644;

/** Writes a whole file, durable and with its final mode, in a staging directory. */
export function writeSpoolFile(path: string, bytes: Uint8Array, mode: number): void {
  try {
    const fd = openSync(path, 'wx', 0o600);
    try {
      writeAll(fd, bytes);
      fdatasyncSync(fd);
      fchmodSync(fd, mode);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw wrapSystemError(error, `writing ${path}`, 'IO', { path });
  }
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

/** Moves a finished file to its place, over what may be there. */
export function placeFile(staged: string, path: string): void {
  try {
    renameSync(staged, path);
  } catch (error) {
    const hint =
      errnoCode(error) === 'EXDEV'
        ? { hint: 'the directory sediment in the graph root must be of one file system' }
        : {};
    throw wrapSystemError(error, `moving a file to ${path}`, 'IO', { path, ...hint });
  }
}

/** Replaces a file: whoever reads it sees the old content or the new. */
export function replaceFile(temp: TempDir, path: string, text: string, mode: number): void {
  const staged = temp.stageAddition();
  writeSpoolFile(staged, new TextEncoder().encode(text), mode);
  placeFile(staged, path);
}
