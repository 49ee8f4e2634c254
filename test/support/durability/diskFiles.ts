import { posix } from 'node:path';
import type { DiskAction } from './diskActions.ts';

/** What is known of one file or directory that was written or changed. Times are lines of the trace. */
export interface DiskFile {
  /** All of its names. */
  readonly paths: Set<string>;
  /** When its data was last written; undefined of what has none. */
  written?: number;
  /** When what the disk knows of it besides data was last changed: names, modes, owners, attributes. */
  changed: number;
  /** How the data came to the disk after the last write. */
  data?: 'synced' | 'ranged';
  /** When the sync of its data ended. */
  syncedAt?: number;
}

/**
 * Follows which data of which files has reached the disk. What counts is what every journaling file system
 * promises: fsync and fdatasync bring the data of a file to the disk, syncfs all data; sync_file_range brings data
 * there, to which a journal barrier must follow. A journal barrier takes along all changes of names and modes
 * before it: it is a syncfs, or the sync of a file that itself was changed since, as the kernel leaves the journal
 * alone for a file that did not change.
 */
export class DiskFiles {
  readonly #files = new Map<string, DiskFile>();
  /** The time before which all changes are on the disk. */
  #barrier = -1;

  get files(): readonly DiskFile[] {
    return [...new Set(this.#files.values())];
  }

  /** All before this moment that is no data is on the disk. */
  get barrier(): number {
    return this.#barrier;
  }

  at(path: string): DiskFile | undefined {
    return this.#files.get(path);
  }

  below(directory: string): readonly DiskFile[] {
    const inside = (path: string) => path === directory || path.startsWith(`${directory}/`);
    return this.files.filter(({ paths }) => [...paths].some(inside));
  }

  apply(action: DiskAction): void {
    const { path, end } = action;
    if (action.kind === 'write') this.#write(path, end);
    else if (action.kind === 'make') this.#change(path, end, posix.dirname(path));
    else if (action.kind === 'change') this.#change(path, end);
    else if (action.kind === 'remove') this.#remove(path, end);
    else if (action.kind === 'rename') this.#rename(action.from, path, end);
    else if (action.kind === 'link') this.#link(action.from, path, end);
    else if (action.kind === 'sync all') this.#syncAll(action);
    else this.#sync(action);
  }

  /** Whether the data of a file is on the disk, and nothing is missing but a journal barrier. */
  isWritten({ written, data }: DiskFile): boolean {
    return written === undefined || data !== undefined;
  }

  /** Whether a file is on the disk: its data, its names and all else. */
  isOnDisk(file: DiskFile): boolean {
    if (!this.isWritten(file) || file.changed > this.#barrier) return false;
    return file.data !== 'ranged' || (file.syncedAt ?? 0) < this.#barrier;
  }

  #file(path: string, time: number): DiskFile {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const file: DiskFile = { paths: new Set([path]), changed: time };
    this.#files.set(path, file);
    return file;
  }

  #write(path: string, time: number): void {
    const file = this.#file(path, time);
    file.written = time;
    file.changed = time;
    delete file.data;
  }

  #sync({ kind, path, start, end }: DiskAction): void {
    const file = this.#file(path, -1);
    if (file.written !== undefined && file.written < start && file.data !== 'synced') {
      file.data = kind === 'range' ? 'ranged' : 'synced';
      file.syncedAt = end;
    }
    const takesJournalAlong = kind === 'sync' && file.changed < start;
    if (takesJournalAlong) this.#barrier = Math.max(this.#barrier, file.changed);
  }

  #syncAll({ start, end }: DiskAction): void {
    for (const file of this.files) {
      if (file.written === undefined || file.written >= start) continue;
      file.data = 'synced';
      file.syncedAt = end;
    }
    this.#barrier = Math.max(this.#barrier, start);
  }

  #change(path: string, time: number, ...directories: string[]): void {
    for (const each of [path, ...directories]) this.#file(each, time).changed = time;
  }

  #remove(path: string, time: number): void {
    this.#change(posix.dirname(path), time);
    this.#forget(path);
  }

  #forget(path: string): void {
    this.#files.get(path)?.paths.delete(path);
    this.#files.delete(path);
  }

  #link(from: string, to: string, time: number): void {
    this.#change(from, time, posix.dirname(to));
    const file = this.#file(from, time);
    file.paths.add(to);
    this.#files.set(to, file);
  }

  /** Takes all below along; what was there before is gone. */
  #rename(from: string, to: string, time: number): void {
    this.#forget(to);
    this.#change(from, time, posix.dirname(from), posix.dirname(to));
    for (const [path, file] of [...this.#files]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      const moved = to + path.slice(from.length);
      file.paths.delete(path);
      file.paths.add(moved);
      this.#files.delete(path);
      this.#files.set(moved, file);
    }
  }
}
