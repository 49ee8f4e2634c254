import type { FileHandle } from 'node:fs/promises';
import { type StorageError, wrapSystemError } from '@sediment/core';
import { assertRoom, openTemporaryFile, type TemporaryFile } from '@sediment/storage';
import { throwIfAborted } from './throwIfAborted.ts';

/** A temporary file with a copy in it. */
export interface SpoolFile extends TemporaryFile {
  /** In bytes. */
  readonly size: number;
}

export interface SpoolRequest {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly place: SpoolPlace;
  /** What is being spooled, for messages. */
  readonly what: string;
  /** How many bytes there are at least, if known: what surely does not fit is not begun. */
  readonly leastSize?: number;
  readonly signal?: AbortSignal;
}

/** The directory for a temporary copy, or a function that makes the file for it. */
export type SpoolPlace = string | (() => Promise<TemporaryFile>);

/** Where archives that cannot be read in place are spooled: `TMPDIR`, else `/var/tmp`, as podman does. */
export function defaultSpoolDirectory(): string {
  return process.env.TMPDIR || '/var/tmp';
}

/**
 * Writes a stream into a new temporary file, readable by this user only. Nothing is left behind when
 * that fails.
 *
 * @throws {StorageError} `NO_SPACE`, `PERMISSION_DENIED`, `IO`, `ABORTED`, and what the stream throws
 */
export async function spool(request: SpoolRequest): Promise<SpoolFile> {
  const copy = await openCopy(request);
  try {
    assertRoom({
      directory: copy.directory,
      bytes: request.leastSize ?? 0,
      what: `the copy of ${request.what}`,
    });
    return { ...copy, size: await writeAll(copy, request) };
  } catch (error) {
    await copy.close();
    throw error;
  }
}

async function openCopy({ place, what }: SpoolRequest): Promise<TemporaryFile> {
  if (typeof place !== 'string') return await place();
  try {
    return await openTemporaryFile(place);
  } catch (error) {
    throw spoolError(error, what, place);
  }
}

async function writeAll({ file, directory }: TemporaryFile, request: SpoolRequest): Promise<number> {
  const { bytes, what, signal } = request;
  let size = 0;
  for await (const chunk of bytes) {
    throwIfAborted(signal);
    try {
      await writeChunk(file, chunk);
    } catch (error) {
      throw spoolError(error, what, directory);
    }
    size += chunk.length;
  }
  throwIfAborted(signal);
  return size;
}

async function writeChunk(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let done = 0;
  while (done < chunk.length) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done);
    done += bytesWritten;
  }
}

function spoolError(error: unknown, what: string, directory: string): StorageError {
  const isDefault = directory === defaultSpoolDirectory();
  return wrapSystemError(error, `spooling ${what} into ${directory}`, 'IO', {
    path: directory,
    ...(isDefault ? { hint: 'choose another directory for temporary files with TMPDIR' } : {}),
  });
}
