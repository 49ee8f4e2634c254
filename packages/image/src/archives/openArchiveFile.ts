import { type FileHandle, open, stat as statPath } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { detectCompression, openDecompressed } from '@sediment/codec';
import { type Compression, errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import { leastPlainSize } from '@sediment/storage';
import { readAt } from './fileBytes.ts';
import { pipeStream, STDIN } from './pipeStream.ts';
import { defaultSpoolDirectory, type SpoolPlace, spool } from './spoolFile.ts';
import { abortedError } from './throwIfAborted.ts';

/** An archive whose bytes can be read at any offset. */
export interface ArchiveFile {
  /** What the user called it. */
  readonly location: string;
  readonly file: FileHandle;
  /** Where the plain bytes can be opened: the file itself, or a temporary copy. */
  readonly path: string;
  readonly size: number;
  /** Of the file as given. */
  readonly compression: Compression;
  close(): Promise<void>;
}

export interface OpenArchiveOptions {
  /** For the plain copy of a compressed archive or of a pipe; default `TMPDIR`, else `/var/tmp`. */
  readonly spoolDirectory?: SpoolPlace;
  readonly signal?: AbortSignal;
}

const HEAD_LENGTH = 16;
const CHUNK_LENGTH = 256 * 1024;

/**
 * Opens an archive. A plain regular file is read in place. A compressed one (gzip, bzip2, xz, zstd,
 * by its first bytes) is spooled decompressed, and what is not seekable (a pipe) is spooled as well.
 *
 * The caller closes the result, which also removes the temporary copy.
 *
 * @throws {StorageError} `SOURCE_NOT_FOUND`, `SOURCE_UNRECOGNIZED` (a directory), `PERMISSION_DENIED`,
 *   `COMPRESSION_INVALID`, `NO_SPACE`, `ABORTED`, `IO`
 */
export async function openArchiveFile(
  location: string,
  options: OpenArchiveOptions = {},
): Promise<ArchiveFile> {
  const stat = await asReading(location, () => statPath(location));
  if (stat.isDirectory()) throw isDirectory(location);
  const isPipe = stat.isFIFO() || (location === STDIN && !stat.isFile());
  if (!isPipe) return await openSeekable(location, options);
  const stream = await asReading(location, () => pipeStream(location, options.signal));
  return await openSpooled(stream, location, options);
}

/** Character and block devices are of no known length, and spooled as well. */
async function openSeekable(location: string, options: OpenArchiveOptions): Promise<ArchiveFile> {
  const file = await asReading(location, () => open(location));
  let keep = false;
  try {
    const stat = await file.stat();
    const head = stat.isFile() ? await readAt(file, 0, HEAD_LENGTH) : undefined;
    const compression = head === undefined ? undefined : detectCompression(head);
    if (compression === 'none') {
      keep = true;
      return { location, file, path: location, size: stat.size, compression, close: () => file.close() };
    }
    const stream = file.createReadStream({
      autoClose: false,
      highWaterMark: CHUNK_LENGTH,
      signal: options.signal,
    });
    const leastSize = stat.isFile() ? leastPlainSize({ path: location, offset: 0, length: stat.size }) : 0;
    return await openSpooled(stream, location, { ...options, leastSize });
  } catch (error) {
    throw wrapSystemError(error, `reading ${location}`, 'IO', { path: location });
  } finally {
    if (!keep) await file.close();
  }
}

interface SpoolOptions extends OpenArchiveOptions {
  /** Of the decompressed archive, in bytes. */
  readonly leastSize?: number;
}

async function openSpooled(
  stream: Readable,
  location: string,
  { signal, spoolDirectory, leastSize = 0 }: SpoolOptions,
): Promise<ArchiveFile> {
  try {
    const { compression, bytes } = await openDecompressed(stream);
    const place = spoolDirectory ?? defaultSpoolDirectory();
    const request = { bytes, place, what: location, leastSize, ...(signal === undefined ? {} : { signal }) };
    return { location, ...(await spool(request)), compression };
  } catch (error) {
    throw signal?.aborted === true ? abortedError(signal) : namingArchive(error, location);
  } finally {
    stream.destroy();
  }
}

/** An error of decompression knows nothing of files. */
function namingArchive(error: unknown, location: string): unknown {
  if (!(error instanceof StorageError) || error.code !== 'COMPRESSION_INVALID') return error;
  return new StorageError(error.code, `${location}: ${error.message}`, {
    ...error.facts,
    path: location,
    cause: error,
    hint: 'the archive is damaged or incomplete: copy or download it again',
  });
}

async function asReading<T>(location: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    const errno = errnoCode(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') throw sourceNotFound(location, error);
    throw wrapSystemError(error, `opening ${location}`, 'IO', { path: location });
  }
}

function isDirectory(location: string): StorageError {
  return new StorageError('SOURCE_UNRECOGNIZED', `${location} is a directory, not an archive`, {
    path: location,
    hint: `if it is an OCI layout, write oci:${location}`,
  });
}

export function sourceNotFound(location: string, cause: unknown): StorageError {
  return new StorageError('SOURCE_NOT_FOUND', `image source not found: ${location}`, {
    path: location,
    cause,
    hint: 'check the path; relative paths start at the working directory',
  });
}
