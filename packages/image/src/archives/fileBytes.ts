import { type FileHandle, open } from 'node:fs/promises';
import { StorageError, wrapSystemError } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';
import { checkDocumentSize } from '../documents/limits.ts';

/**
 * Reads `length` bytes at `offset`, fewer only at the end of the file.
 * The result is a new buffer that belongs to the caller.
 */
export async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

export interface DocumentRange {
  readonly blob: BlobRange;
  /** Largest length that is read into memory, in bytes. */
  readonly limit: number;
  readonly what: string;
  /** What the user knows the source as; the range may lie in a temporary file. */
  readonly path: string;
}

/** Reads a whole document. @throws {StorageError} `DOCUMENT_TOO_LARGE`, `TAR_TRUNCATED`, `IO` */
export async function readDocumentBytes({ blob, limit, what, path }: DocumentRange): Promise<Buffer> {
  checkDocumentSize(blob.length, limit, { what, path });
  const bytes = await readRange(blob, `reading ${what}`);
  if (bytes.length === blob.length) return bytes;
  throw new StorageError('TAR_TRUNCATED', `${what}: the file became shorter while it was being read`, {
    path,
    expected: blob.length,
    actual: bytes.length,
    hint: 'do not change the source while it is being imported',
  });
}

/** The first bytes of a range, enough to recognise every compression by its magic number. */
export async function readHead({ path, offset, length }: BlobRange): Promise<Buffer> {
  return await readRange({ path, offset, length: Math.min(length, HEAD_LENGTH) }, `reading ${path}`);
}

const HEAD_LENGTH = 16;

async function readRange({ path, offset, length }: BlobRange, what: string): Promise<Buffer> {
  try {
    await using file = await open(path);
    return await readAt(file, offset, length);
  } catch (error) {
    throw wrapSystemError(error, what, 'IO', { path });
  }
}
