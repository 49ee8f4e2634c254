import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoCode, wrapSystemError } from '@sediment/core';
import { crypto } from '../lazyModules.ts';

export interface AtomicWriteOptions {
  /** Whether the content reaches the disk before the name does. False for volatile files only. */
  readonly sync: boolean;
}

/** Bytes or text, at once or in pieces. */
export type FileContent = Uint8Array | string | readonly Uint8Array[];

/**
 * Replaces a file as a whole: readers see the old content or the new, never a part. Mode 0600
 * whatever the umask. The directory must exist and is not synced, as in upstream.
 *
 * @returns the file's modification time in nanoseconds since 1970
 * @throws {StorageError} `NO_SPACE`, `PERMISSION_DENIED`, `STORE_READ_ONLY` or `IO`; the old file is
 *   then unchanged and no temporary file is left
 */
export async function atomicWrite(
  path: string,
  content: FileContent,
  { sync }: AtomicWriteOptions,
): Promise<bigint> {
  const what = `writing ${JSON.stringify(path)}`;
  const temporary = await createTemporary(path).catch((error: unknown) => {
    throw wrapSystemError(error, what, 'IO', { path });
  });
  try {
    const mtimeNs = await fill(temporary.handle, content, sync);
    await rename(temporary.path, path);
    return mtimeNs;
  } catch (error) {
    const left = await remove(temporary.path);
    throw wrapSystemError(error, left === undefined ? what : `${what} (${left})`, 'IO', { path });
  }
}

/** `.tmp-<basename><random decimal>` beside the target, the form Go programs use and ignore. */
async function createTemporary(target: string): Promise<{ path: string; handle: FileHandle }> {
  for (;;) {
    const path = join(dirname(target), `.tmp-${basename(target)}${crypto().randomInt(2 ** 32)}`);
    try {
      return { path, handle: await open(path, 'wx+', 0o600) };
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw error;
    }
  }
}

async function fill(handle: FileHandle, content: FileContent, sync: boolean): Promise<bigint> {
  try {
    const pieces = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
    // Each goes on where the one before has ended.
    for (const piece of pieces) await handle.writeFile(piece);
    if (sync) await handle.datasync();
    const { mtimeNs } = await handle.stat({ bigint: true });
    await handle.chmod(0o600);
    return mtimeNs;
  } finally {
    await handle.close();
  }
}

/** Removes a file; a failure comes back as words, to be told beside the error that led here. */
async function remove(path: string): Promise<string | undefined> {
  try {
    await unlink(path);
    return undefined;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    return `the temporary file ${path} is left: ${error instanceof Error ? error.message : String(error)}`;
  }
}
