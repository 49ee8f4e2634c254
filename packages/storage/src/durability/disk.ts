import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import { Barrier, type BarrierDisk } from './barrier.ts';
import { type DiskKind, diskKindOf } from './diskKind.ts';
import type { ChosenDurability, Durability } from './durability.ts';

export interface DiskOptions extends ChosenDurability {
  /** Whether the store lies on several file systems, none of which knows of the order on another. */
  readonly split: boolean;
}

export interface BarrierRequest {
  /** Where things are made that a record will tell of. They exist; on one file system or several. */
  readonly directories: readonly string[];
  /** The directory of the file with that record. */
  readonly records: string;
  /** Whether all files that are written get to know of the barrier: those of unpack jobs do, other copies do not. */
  readonly tracked: boolean;
}

/** When things get to the disk, under the policy of an open store. */
export class Disk {
  readonly policy: Durability;
  readonly source: string;
  readonly #wholeFileSystem: boolean;
  readonly #split: boolean;
  readonly #kinds = new Map<number, DiskKind>();

  constructor({ policy, source, wholeFileSystem, split }: DiskOptions) {
    this.policy = policy;
    this.source = source;
    this.#wholeFileSystem = wholeFileSystem;
    this.#split = split;
  }

  /**
   * Runs `fn` with a barrier, which must exist before the first thing is written: errors of writing would otherwise
   * get lost.
   *
   * @throws {StorageError} `IO` when the file systems cannot be looked at
   */
  async withBarrier<T>(request: BarrierRequest, fn: (barrier: Barrier) => Promise<T>): Promise<T> {
    const barrier = new Barrier(this.policy === 'none' ? [] : this.#disksOf(request));
    try {
      return await fn(barrier);
    } finally {
      barrier.close();
    }
  }

  /**
   * Call after a file got its name: under `full` the name is then on the disk, and under `ordered` it gets there
   * before whatever comes next.
   *
   * @throws {StorageError} `IO` and its like
   */
  async named(path: string): Promise<void> {
    await syncDirectories(this.#directoriesToSync(path));
  }

  /**
   * Call after content went from these directories and before the record goes that names it. Where the sync of the
   * record's own directory takes nothing else along, the content would otherwise be back after a crash, and nobody's.
   *
   * @throws {StorageError} `IO` and its like
   */
  async emptied(directories: readonly string[]): Promise<void> {
    if (this.policy === 'none') return;
    await syncDirectories(directories.filter((directory) => this.#kindOf(directory) === 'other'));
  }

  /** {@link named} for those who cannot wait. */
  namedSync(path: string): void {
    for (const directory of this.#directoriesToSync(path)) {
      try {
        const fd = openSync(directory, 'r');
        try {
          fsyncSync(fd);
        } finally {
          closeSync(fd);
        }
      } catch (error) {
        throw syncError(error, directory);
      }
    }
  }

  /** The directory of a name; where each is for itself also the one above, in which the first may be new. */
  #directoriesToSync(path: string): string[] {
    if (this.policy === 'none') return [];
    const directory = dirname(path);
    const kind = this.#kindOf(directory);
    if (kind === 'other') return [directory, dirname(directory)];
    return kind === 'journal' && (this.policy === 'full' || this.#split) ? [directory] : [];
  }

  #disksOf({ directories, records, tracked }: BarrierRequest): BarrierDisk[] {
    const recordDevice = statSync(records, { throwIfNoEntry: false })?.dev;
    const disks = new Map<number, BarrierDisk>();
    for (const path of directories) {
      const device = this.#deviceOf(path);
      const kind = this.#kindOf(path);
      if (kind === 'memory' || disks.has(device)) continue;
      // The sync of the record commits its own journal and no other.
      const journal = kind === 'journal' && device === recordDevice;
      disks.set(device, { path, journal, tracked: journal && tracked && !this.#wholeFileSystem });
    }
    return [...disks.values()];
  }

  #deviceOf(path: string): number {
    try {
      return statSync(path).dev;
    } catch (error) {
      throw syncError(error, path);
    }
  }

  #kindOf(path: string): DiskKind {
    const device = this.#deviceOf(path);
    const kind = this.#kinds.get(device) ?? diskKindOf(path);
    this.#kinds.set(device, kind);
    return kind;
  }
}

async function syncDirectories(directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    try {
      const handle = await open(directory, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw syncError(error, directory);
    }
  }
}

function syncError(error: unknown, path: string): Error {
  return wrapSystemError(error, `writing ${path} to the disk`, 'IO', { path });
}
