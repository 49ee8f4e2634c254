import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, wrapSystemError } from '@sediment/core';
import { throwIfAborted } from './throwIfAborted.ts';

/** A temporary file. It is gone once closed; where the kernel allows it, even if the process is killed. */
export interface SpoolFile {
  readonly file: FileHandle;
  /** Where this process, in any of its threads, can open it. */
  readonly path: string;
  readonly size: number;
  close(): Promise<void>;
}

export interface SpoolRequest {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly directory: string;
  /** What is being spooled, for messages. */
  readonly what: string;
  readonly signal?: AbortSignal;
}

/** A directory, or a function that makes it when it is needed. */
export type SpoolDirectory = string | (() => Promise<string>);

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
  const { file, name } = await asSystemCall(request, () => openTemporary(request.directory));
  const close = async () => {
    await file.close();
    if (name !== undefined) await unlink(name);
  };
  try {
    const size = await writeAll(file, request);
    return { file, path: name ?? pathOf(file), size, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface TemporaryFile {
  readonly file: FileHandle;
  /** Absent when it can be opened without one. */
  readonly name?: string;
}

async function openTemporary(directory: string): Promise<TemporaryFile> {
  const nameless = await openNameless(directory);
  if (nameless !== undefined) return { file: nameless };
  const name = join(directory, `sediment-spool-${randomBytes(8).toString('hex')}`);
  const file = await open(name, 'wx+', 0o600);
  if (!existsSync(pathOf(file))) return { file, name };
  await unlink(name);
  return { file };
}

/** Bits of open(2), the same on all machines that Node runs on. Node has no constant for them. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** How kernels and file systems that cannot make a file without a name answer. */
const NO_TMPFILE = new Set(['EOPNOTSUPP', 'EISDIR', 'EINVAL', 'ENOENT']);

/** A file that never has a name; undefined where there are none, or where it could not be opened again. */
async function openNameless(directory: string): Promise<FileHandle | undefined> {
  if (process.platform !== 'linux' || !existsSync('/proc/self/fd')) return undefined;
  try {
    return await open(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  } catch (error) {
    // ENOENT is also the answer for a missing directory, and then that of the next attempt.
    if (NO_TMPFILE.has(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** Where the threads of this process can open it again. */
function pathOf({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}

async function writeAll(file: FileHandle, request: SpoolRequest): Promise<number> {
  let size = 0;
  for await (const chunk of request.bytes) {
    throwIfAborted(request.signal);
    await asSystemCall(request, () => writeChunk(file, chunk));
    size += chunk.length;
  }
  throwIfAborted(request.signal);
  return size;
}

async function writeChunk(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let done = 0;
  while (done < chunk.length) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done);
    done += bytesWritten;
  }
}

async function asSystemCall<T>({ directory, what }: SpoolRequest, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    throw wrapSystemError(error, `spooling ${what} into ${directory}`, 'IO', {
      path: directory,
      ...(directory === defaultSpoolDirectory()
        ? { hint: 'choose another directory for temporary files with TMPDIR' }
        : {}),
    });
  }
}
