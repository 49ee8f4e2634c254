import { setTimeout } from 'node:timers/promises';
import { wrapSystemError } from '@sediment/core';
import {
  close,
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  syncFileRange,
  syncfsAsync,
} from '@sediment/posix';
import { isScarce } from './descriptorRoom.ts';

/** Files that are begun together: one by one they take twice as long. Twice as many are open at a time. */
const BATCH_FILES = 100;
const BATCH_BYTES = 16 * 1024 * 1024;
/** From then on a sync of the whole file system is cheaper, although it writes what others have written, too. */
const MANY_FILES = 20_000;
/** How often the waiting for such a sync looks whether it shall stop. */
const CHECK_MS = 20;
const ALL = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

/** That of the job which this thread runs, if its files are to get to the disk. A thread runs one job at a time. */
let current: FileWriteback | undefined;

export interface WritebackOptions {
  /** Names the layer, for messages. */
  readonly what: string;
  /** Called while the disk is waited for; may throw, to stop. */
  readonly checkpoint: () => void;
  /** Default 20,000; see {@link withFileWriteback}. */
  readonly manyFiles?: number;
}

/**
 * Runs `fn`, the part of a job that this thread does. When it has returned, the content of all files that it closed
 * by {@link closeWritten} is on the disk, but for what a disk keeps in its own cache; sizes and blocks are in the
 * journal, which the next fsync of something newer writes.
 *
 * From the 20,000th file on, the file system is synced as a whole instead, now and then and in the end.
 *
 * @throws {StorageError} `IO`, `NO_SPACE` when writing failed; what `checkpoint` and `fn` throw
 */
export async function withFileWriteback<T>(options: WritebackOptions, fn: () => Promise<T>): Promise<T> {
  const writeback = new FileWriteback(options);
  current = writeback;
  try {
    const result = await fn();
    await writeback.finish();
    return result;
  } finally {
    current = undefined;
    writeback.close();
  }
}

/** Closes a file that is complete, now or when it is on the disk. */
export function closeWritten(fd: number, bytes: number): void {
  if (current === undefined) close(fd);
  else current.add(fd, bytes);
}

/** Waits for files that {@link closeWritten} keeps open, and closes them. */
export function flushWritten(): void {
  current?.flush();
}

/** Waits until a file that is complete is on the disk; does nothing if files need not get there. */
export function awaitWritten(fd: number): void {
  if (current !== undefined) syncFileRange(fd, ALL);
}

/** Begins to bring a part of a file to the disk that still grows; does nothing if files need not get there. */
export function beginWritten(fd: number, offset: number, length: number): void {
  current?.begin(fd, offset, length);
}

/**
 * Brings files to the disk while the next ones are being written. Nothing waits for a batch until the next one is
 * complete, so that the disk works meanwhile.
 */
class FileWriteback {
  readonly #options: WritebackOptions;
  #written: number[] = [];
  #writtenBytes = 0;
  #begun: number[] = [];
  #files = 0;
  /** Open since before the first file that is not tracked was written, so that it hears of all errors. */
  #witness: number | undefined;
  #syncs: Promise<void>[] = [];
  /** The first one; told in the end, when it does not look like the fault of an entry. */
  #failure: unknown;

  constructor(options: WritebackOptions) {
    this.#options = options;
  }

  add(fd: number, bytes: number): void {
    this.#files++;
    if (this.#witness !== undefined) {
      close(fd);
      this.#syncNowAndThen(this.#witness);
      return;
    }
    if (this.#files > (this.#options.manyFiles ?? MANY_FILES)) {
      this.#witness = fd;
      this.#sync(fd);
      return;
    }
    this.#written.push(fd);
    this.#writtenBytes += bytes;
    if (isScarce(fd)) this.flush();
    else if (this.#written.length === BATCH_FILES || this.#writtenBytes >= BATCH_BYTES) this.#turn();
  }

  flush(): void {
    this.#turn();
    this.#turn();
  }

  begin(fd: number, offset: number, length: number): void {
    this.#try(() => syncFileRange(fd, SYNC_FILE_RANGE_WRITE, { offset, length }));
  }

  async finish(): Promise<void> {
    this.flush();
    if (this.#witness !== undefined) {
      this.#sync(this.#witness);
      await this.#settled();
    }
    if (this.#failure === undefined) return;
    throw wrapSystemError(this.#failure, `${this.#options.what}: writing its files to the disk`, 'IO');
  }

  /** Closes what is open. */
  close(): void {
    for (const fd of [...this.#begun.splice(0), ...this.#written.splice(0)]) close(fd);
    const witness = this.#witness;
    this.#witness = undefined;
    // Another thread may still be using it.
    if (witness !== undefined) void Promise.allSettled(this.#syncs).then(() => close(witness));
  }

  /** Each time as many files have come as in all before: seldom, for each occupies a thread of the process. */
  #syncNowAndThen(witness: number): void {
    const many = this.#options.manyFiles ?? MANY_FILES;
    if (this.#files % many === 0 && Number.isInteger(Math.log2(this.#files / many))) this.#sync(witness);
  }

  #sync(fd: number): void {
    const sync = syncfsAsync(fd).catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#syncs.push(sync);
  }

  async #settled(): Promise<void> {
    let isDone = false;
    const all = Promise.all(this.#syncs).then(() => {
      isDone = true;
    });
    while (!isDone) {
      this.#options.checkpoint();
      await Promise.race([all, setTimeout(CHECK_MS)]);
    }
  }

  #turn(): void {
    for (const fd of this.#written) this.#try(() => syncFileRange(fd, SYNC_FILE_RANGE_WRITE));
    for (let fd = this.#begun.pop(); fd !== undefined; fd = this.#begun.pop()) this.#complete(fd);
    this.#begun = this.#written;
    this.#written = [];
    this.#writtenBytes = 0;
  }

  #complete(fd: number): void {
    try {
      this.#options.checkpoint();
      this.#try(() => syncFileRange(fd, ALL));
    } finally {
      close(fd);
    }
  }

  #try(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      this.#failure ??= error;
    }
  }
}
