import { existsSync, constants as fsConstants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode } from '@sediment/core';
import { crypto } from '../lazyModules.ts';

/** A file that is gone when it is closed. */
export interface TemporaryFile {
  /** Open for reading and writing. */
  readonly file: FileHandle;
  /** Where this process, in any of its threads, can open it again. */
  readonly path: string;
  /** Where it takes up space. */
  readonly directory: string;
  close(): Promise<void>;
}

const MODE = 0o600;
/** Names of temporary files begin so, where they have one. */
export const TEMPORARY_PREFIX = 'sediment-spool-';
/** The first bit is the same on all machines that Node runs on; Node has no constant for it. */
const O_TMPFILE = 0o20000000 | fsConstants.O_DIRECTORY;
/** How systems answer that cannot make files without a name (open(2)). */
const NO_TMPFILE = new Set(['EOPNOTSUPP', 'EISDIR', 'EINVAL']);

/**
 * Makes an empty file, readable by this user only. Where the system can, it never has a name, so that it ends with this
 * process, however that ends.
 *
 * The caller closes it.
 *
 * @throws the system error, such as `ENOENT` when the directory is missing
 */
export async function openTemporaryFile(directory: string): Promise<TemporaryFile> {
  return (await openNameless(directory)) ?? (await openNamed(directory));
}

/** Undefined where the system has no such files, or they could not be opened again. */
export async function openNameless(directory: string): Promise<TemporaryFile | undefined> {
  if (process.platform !== 'linux' || !existsSync('/proc/self/fd')) return undefined;
  try {
    const file = await open(directory, O_TMPFILE | fsConstants.O_RDWR, MODE);
    return { file, path: pathOf(file), directory, close: () => file.close() };
  } catch (error) {
    if (NO_TMPFILE.has(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** The name goes at once where the file can be opened without it. */
async function openNamed(directory: string): Promise<TemporaryFile> {
  const name = join(directory, TEMPORARY_PREFIX + crypto().randomBytes(8).toString('hex'));
  const file = await open(name, 'wx+', MODE);
  if (existsSync(pathOf(file))) {
    await unlink(name);
    return { file, path: pathOf(file), directory, close: () => file.close() };
  }
  const close = async () => {
    await file.close();
    await unlink(name);
  };
  return { file, path: name, directory, close };
}

function pathOf({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}
