import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { wrapSystemError } from '@sediment/core';
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
  const path = join(request.directory, `sediment-spool-${randomBytes(8).toString('hex')}`);
  const file = await asSystemCall(request, () => open(path, 'wx+', 0o600));
  let name: string | undefined = path;
  const close = async () => {
    await file.close();
    if (name !== undefined) await unlink(name);
  };
  try {
    const anonymous = `/proc/self/fd/${file.fd}`;
    if (existsSync(anonymous)) {
      await asSystemCall(request, () => unlink(path));
      name = undefined;
    }
    const size = await writeAll(file, request);
    return { file, path: name ?? anonymous, size, close };
  } catch (error) {
    await close();
    throw error;
  }
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
      hint: 'choose another directory for temporary files with TMPDIR',
    });
  }
}
