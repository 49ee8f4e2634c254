import { closeSync, openSync } from 'node:fs';
import { StorageError, wrapSystemError } from '@sediment/core';
import {
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  syncFileRange,
  syncFileRangeAsync,
  syncfsAsync,
} from '@sediment/posix';

/** A file system that an operation writes to. */
export interface BarrierDisk {
  /** A directory on it. */
  readonly path: string;
  /** Whether the sync of the record that follows brings along all that was changed before, but for content of files. */
  readonly journal: boolean;
  /** Whether each file that is written is brought to the disk by who writes it. */
  readonly tracked: boolean;
}

interface OpenDisk extends BarrierDisk {
  /** Open since before the first file was written, so that it hears of all errors of writing. */
  readonly fd: number;
  /** Settles when no other thread uses the descriptor. */
  idle: Promise<void>;
  settled: boolean;
}

const ALL = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

/**
 * What stands between the things that an operation makes and the record that makes them visible. After
 * {@link settle} the content of all files is on the disk, and everything else is, too, as soon as the record's own
 * file was synced.
 */
export class Barrier {
  readonly #disks: OpenDisk[] = [];

  /** @throws {StorageError} `IO` */
  constructor(disks: readonly BarrierDisk[]) {
    try {
      for (const disk of disks) {
        const fd = openSync(disk.path, 'r');
        this.#disks.push({ ...disk, fd, idle: Promise.resolve(), settled: disk.tracked });
      }
    } catch (error) {
      this.close();
      throw wrapSystemError(error, 'opening a directory to write it to the disk', 'IO');
    }
  }

  /** Whether unpack jobs shall bring their files to the disk. */
  get tracksFiles(): boolean {
    return this.#disks.some(({ tracked }) => tracked);
  }

  /**
   * Waits until what was written so far is on the disk.
   *
   * @param files written since the last call, by somebody who does not track them
   * @param signal ends the waiting, with `ABORTED`; the kernel goes on
   * @throws {StorageError} `IO`, `NO_SPACE` when writing failed; `ABORTED`
   */
  async settle(files: readonly string[] = [], signal?: AbortSignal): Promise<void> {
    for (const disk of this.#disks) {
      if (disk.journal && disk.settled) continue;
      await unlessAborted(syncDisk(disk), signal);
      disk.settled = true;
    }
    if (this.#disks.some(({ journal }) => journal)) await unlessAborted(syncFiles(files), signal);
  }

  /** A descriptor that is closed during a call could become another file's. */
  close(): void {
    for (const { fd, idle } of this.#disks.splice(0)) void idle.then(() => closeSync(fd));
  }
}

async function syncDisk(disk: OpenDisk): Promise<void> {
  const { fd, path } = disk;
  const call = syncfsAsync(fd);
  disk.idle = call.catch(() => undefined);
  await call.catch((error: unknown) => fail(error, path));
}

/** Begins with all, then waits: the disk has something to choose from. */
async function syncFiles(files: readonly string[]): Promise<void> {
  const open: Array<{ readonly path: string; readonly fd: number }> = [];
  try {
    for (const path of files) open.push({ path, fd: begin(path) });
    for (const { path, fd } of open) {
      await syncFileRangeAsync(fd, ALL).catch((error: unknown) => fail(error, path));
    }
  } finally {
    for (const { fd } of open) closeSync(fd);
  }
}

function begin(path: string): number {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    syncFileRange(fd, SYNC_FILE_RANGE_WRITE);
    return fd;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    return fail(error, path);
  }
}

function fail(error: unknown, path: string): never {
  throw wrapSystemError(error, `writing ${path} to the disk`, 'IO', { path });
}

/** Leaves a promise alone when the signal fires; what becomes of it is then of no interest. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await promise;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () =>
      reject(new StorageError('ABORTED', 'waiting for the disk was aborted', { cause: signal.reason }));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([promise, aborted]);
  } catch (error) {
    promise.catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
