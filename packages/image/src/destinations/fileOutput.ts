import type { Stats } from 'node:fs';
import { type FileHandle, link, open, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoCode } from '@sediment/core';
import type { ArchiveOutput } from './archiveOutput.ts';
import { destinationExists, statOrMissing } from './archivePlace.ts';
import { onDestination, throwIfStopped } from './destinationError.ts';
import { type DestinationLock, lockDestination } from './destinationLock.ts';
import { forgetLeft, removeOnExit } from './leftOnExit.ts';
import { SyncBehind } from './syncBehind.ts';
import { syncDirectory } from './syncDirectory.ts';
import { temporariesIn, temporaryName } from './temporaryName.ts';
import { WriteBehind } from './writeBehind.ts';

/** Another export is mostly over soon, or not at all. */
const LOCK_WAIT_MS = 2000;

export interface FileOutputOptions {
  readonly location: string;
  readonly path: string;
  /** Why a file that has content is not touched; undefined when it is to be replaced. */
  readonly keepExisting?: string;
  readonly stagingDirectory?: string;
  readonly signal?: AbortSignal;
}

/**
 * Writes a file under a temporary name beside its final one. One writer at a time: the file's lock is
 * held until `close`. What writers that were killed left is removed.
 *
 * @throws {StorageError} `DESTINATION_EXISTS`, `DESTINATION_BUSY`, `PERMISSION_DENIED`, `NO_SPACE`, `IO`, `ABORTED`
 */
export async function openFileOutput(options: FileOutputOptions): Promise<ArchiveOutput> {
  const { path, signal } = options;
  await checkExisting(options);
  const lock = await lockDestination({
    path,
    lockPath: `${path}.lock`,
    waitMs: LOCK_WAIT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    const existing = await checkExisting(options);
    await onDestination(`cleaning up beside ${path}`, path, () => removeForsaken(path));
    const temporary = join(dirname(path), temporaryName(basename(path)));
    const file = await onDestination(`opening ${path}`, path, () =>
      open(temporary, 'wx+', existing === undefined ? 0o666 : 0o600),
    );
    removeOnExit(temporary);
    return new FileOutput(options, { lock, file, temporary, ...(existing && { existing }) });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The file that is to be replaced, if there is one. */
async function checkExisting({
  path,
  location,
  keepExisting,
}: FileOutputOptions): Promise<Stats | undefined> {
  const existing = await statOrMissing(path);
  if (keepExisting !== undefined && existing !== undefined && existing.size > 0) {
    throw destinationExists(location, keepExisting);
  }
  return existing;
}

/** The lock is ours, so nobody who is alive writes these. */
async function removeForsaken(path: string): Promise<void> {
  for (const left of await temporariesIn(dirname(path), basename(path))) await rm(left, { force: true });
}

interface Opened {
  readonly lock: DestinationLock;
  readonly file: FileHandle;
  readonly temporary: string;
  readonly existing?: Stats;
}

class FileOutput implements ArchiveOutput {
  readonly location: string;
  readonly stagingDirectory: string;
  readonly revise: NonNullable<ArchiveOutput['revise']>;
  readonly #options: FileOutputOptions;
  readonly #opened: Opened;
  readonly #written: WriteBehind;
  readonly #synced: SyncBehind;
  #closing: Promise<void> | undefined;
  #committed = false;

  constructor(options: FileOutputOptions, opened: Opened) {
    this.#options = options;
    this.#opened = opened;
    this.#written = new WriteBehind(opened.file);
    this.#synced = new SyncBehind(opened.file);
    this.location = options.location;
    this.stagingDirectory = options.stagingDirectory ?? dirname(options.path);
    this.revise = {
      patch: (position, bytes) => this.#do(() => this.#written.patch(position, bytes)),
      truncate: (position) => this.#do(() => this.#written.truncate(position)),
    };
  }

  get position(): number {
    return this.#written.position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    throwIfStopped(this.#options.signal);
    await this.#do(() => this.#written.write(bytes));
    this.#synced.reached(this.#written.position);
  }

  flush(): Promise<void> {
    return this.#do(() => this.#written.flush());
  }

  async commit(): Promise<void> {
    const { lock, file, existing } = this.#opened;
    throwIfStopped(this.#options.signal);
    await this.#do(async () => {
      await this.#written.flush();
      if (existing !== undefined) await takeOver(file, existing);
      await this.#synced.end();
    });
    lock.assertHeld();
    await this.#publish(await checkExisting(this.#options));
    this.#committed = true;
    forgetLeft(this.#opened.temporary);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Where nothing was, nothing is replaced, even if somebody makes the file in this very moment. */
  async #publish(existing: Stats | undefined): Promise<void> {
    const { path, location, keepExisting } = this.#options;
    const { temporary } = this.#opened;
    await this.#do(async () => {
      if (existing === undefined && keepExisting !== undefined) {
        if (!(await linkNew(temporary, path))) throw destinationExists(location, keepExisting);
      } else {
        await rename(temporary, path);
      }
      await syncDirectory(dirname(path));
    });
  }

  async #close(): Promise<void> {
    const { lock, file, temporary } = this.#opened;
    try {
      await this.#do(async () => {
        await this.#written.settle();
        await this.#synced.settle();
        await file.close();
        if (!this.#committed) await rm(temporary, { force: true });
      });
      forgetLeft(temporary);
    } finally {
      await lock.release();
    }
  }

  #do<T>(fn: () => Promise<T>): Promise<T> {
    return onDestination(`writing ${this.location}`, this.#options.path, fn);
  }
}

/** The new file has the mode of the one that it replaces, and its owner, where one may give files away. */
async function takeOver(file: FileHandle, { mode, uid, gid }: Stats): Promise<void> {
  if (process.geteuid?.() === 0) await file.chown(uid, gid);
  await file.chmod(mode & 0o7777);
}

/** False if there is a file already. Where files cannot have two names it is renamed. */
async function linkNew(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
  } catch (error) {
    const errno = errnoCode(error);
    if (errno === 'EEXIST') return false;
    if (errno !== 'EPERM' && errno !== 'ENOTSUP' && errno !== 'EMLINK') throw error;
    await rename(temporary, path);
    return true;
  }
  await unlink(temporary);
  return true;
}
