import { type FileHandle, open } from 'node:fs/promises';
import { errnoCode, wrapSystemError } from '@sediment/core';
import { type AtomicWriteOptions, atomicWrite } from './atomicWrite.ts';
import type { RecordFormat } from './recordFormat.ts';

export interface RecordFile<T> {
  readonly records: T[];
  /** Modification time in nanoseconds since 1970; `undefined` when there is no file. */
  readonly mtimeNs: bigint | undefined;
}

/**
 * Reads a record file. A missing or empty file holds no records.
 *
 * @throws {StorageError} `RECORD_INVALID`, `PERMISSION_DENIED`, `IO`
 */
export async function readRecordFile<T extends object>(
  path: string,
  format: RecordFormat<T>,
): Promise<RecordFile<T>> {
  const file = await readIfPresent(path);
  if (file === undefined) return { records: [], mtimeNs: undefined };
  return { records: format.parse(file.content, path), mtimeNs: file.mtimeNs };
}

/**
 * Writes a record file atomically. The caller holds the write lock and has written its token.
 *
 * @returns the new modification time in nanoseconds since 1970
 * @throws {StorageError} `RECORD_INVALID` before any file is touched; else as {@link atomicWrite}
 */
export async function writeRecordFile<T extends object>(
  path: string,
  format: RecordFormat<T>,
  records: readonly T[],
  options: AtomicWriteOptions,
): Promise<bigint> {
  return await atomicWrite(path, format.pieces(records, path), options);
}

async function readIfPresent(path: string): Promise<{ content: Buffer; mtimeNs: bigint } | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { mtimeNs } = await handle.stat({ bigint: true });
    return { content: await handle.readFile(), mtimeNs };
  } catch (error) {
    if (handle === undefined && errnoCode(error) === 'ENOENT') return undefined;
    throw wrapSystemError(error, `reading ${JSON.stringify(path)}`, 'IO', { path });
  } finally {
    await handle?.close();
  }
}
