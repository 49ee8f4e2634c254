import { dirname } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import type { Disk } from '../durability/disk.ts';
import type { LockGuard } from '../locks/index.ts';
import { atomicWrite } from '../records/atomicWrite.ts';
import { makePrivateDirectory } from '../store/makePrivateDirectory.ts';
import type { StorePaths } from '../store/storePaths.ts';
import {
  type FileRole,
  type Loaded,
  type NamedRecord,
  type RecordFiles,
  recordsOf,
  type TableFile,
  type Visible,
  visibleOf,
} from './recordFiles.ts';

/** A record together with the store that holds it: this one, or an additional one. */
export interface Placed<R extends NamedRecord> {
  readonly record: R;
  /** Where the files of that store lie. */
  readonly paths: StorePaths;
  /** Whether the store is one that is only read. */
  readonly readOnly: boolean;
}

/**
 * Read access to a table; valid only inside the scope that handed it out. Unless it says otherwise, a method
 * sees the records of the writable store alone.
 */
export interface TableView<R extends NamedRecord> {
  /** Where the files of the writable store lie. */
  readonly paths: StorePaths;
  /** Paths of its record files. */
  readonly filePaths: readonly string[];
  /** All records, in file order. */
  all(): readonly R[];
  /** By full id. */
  byId(id: string): R | undefined;
  /** By id, then name, then alias, then unique id prefix. */
  find(idOrName: string): R | undefined;
  /** Ids of all stores, not more than ten, of which `prefix` could be the beginning; to tell why it finds nothing. */
  idsWithPrefix(prefix: string): readonly string[];
  /** The records of this store and then of all additional ones. An id may come twice. */
  everywhere(): readonly Placed<R>[];
  /**
   * {@link find} in this store, and then in each additional one. There, a record whose id this store has, too,
   * is not found: whoever took a name away here does not want it back from elsewhere.
   */
  locate(idOrName: string): Placed<R> | undefined;
  /** {@link byId} in this store, and then in each additional one. */
  locateId(id: string): Placed<R> | undefined;
  /**
   * This view and that of the second writable store, if there is one: where images lie in a place of their own,
   * those made before are still in the graph root.
   */
  readonly views: readonly TableView<R>[];
  /** The records that the other methods leave out. */
  hidden(): readonly R[];
  /** Whether the files differ from what is seen here, because two records had one name. A save mends that. */
  readonly needsSave: boolean;
}

/** Write access: changes are kept in memory until {@link TableWriter.save}. */
export interface TableWriter<R extends NamedRecord> extends TableView<R> {
  /** Brings the names of files to the disk. */
  readonly disk: Disk;
  /** Like {@link TableView.views}; the second store only if the scope asked for every store. */
  readonly writers: readonly TableWriter<R>[];
  /**
   * Adds the record, or replaces the one with its id in place; that one stays in the file it came from.
   *
   * @param options.file for a new record; a store that has no such file puts it into its main one
   */
  put(record: R, options?: { readonly file?: FileRole }): void;
  remove(id: string): void;
  /** Writes a new token, then each file whose records changed or had to be repaired; else does nothing. */
  save(): Promise<void>;
}

/** The state of a store that is seen beside the writable one. */
export interface Beside<R extends NamedRecord> {
  readonly files: RecordFiles<R>;
  readonly loaded: () => Loaded<R>;
}

export class View<R extends NamedRecord> implements TableView<R> {
  protected readonly files: RecordFiles<R>;
  readonly #loaded: () => Loaded<R>;
  readonly #beside: readonly Beside<R>[];

  constructor(files: RecordFiles<R>, loaded: () => Loaded<R>, beside: readonly Beside<R>[]) {
    this.files = files;
    this.#loaded = loaded;
    this.#beside = beside;
  }

  get paths(): StorePaths {
    return this.files.paths;
  }
  get filePaths(): readonly string[] {
    return this.files.options.files.map(({ path }) => path);
  }
  get views(): readonly TableView<R>[] {
    const writable = this.#beside.filter(({ files }) => !files.readOnly);
    return [this, ...writable.map(({ files, loaded }) => new View(files, loaded, []))];
  }
  all(): readonly R[] {
    return this.#own().all;
  }
  byId(id: string): R | undefined {
    return this.#own().byId(id);
  }
  find(idOrName: string): R | undefined {
    return this.#own().index.find(idOrName);
  }
  idsWithPrefix(prefix: string): readonly string[] {
    const ids = this.#stores().flatMap(({ visible }) => {
      const match = visible.index.matchPrefix(prefix);
      if (match === undefined) return [];
      return 'record' in match ? [match.record.id] : match.ambiguous;
    });
    return [...new Set(ids)].slice(0, 10);
  }
  everywhere(): readonly Placed<R>[] {
    const [own, ...beside] = this.#stores().map(({ files, visible }) =>
      visible.all.map((record) => placed(files, record)),
    );
    return own === undefined ? [] : own.concat(...beside);
  }
  locate(idOrName: string): Placed<R> | undefined {
    for (const { files, visible } of this.#stores()) {
      const record = visible.index.find(idOrName);
      if (record === undefined) continue;
      if (files === this.files || this.byId(record.id) === undefined) return placed(files, record);
    }
    return undefined;
  }
  locateId(id: string): Placed<R> | undefined {
    for (const { files, visible } of this.#stores()) {
      const record = visible.byId(id);
      if (record !== undefined) return placed(files, record);
    }
    return undefined;
  }
  get needsSave(): boolean {
    return this.#loaded().repaired.size > 0;
  }
  hidden(): readonly R[] {
    const { hidden } = this.files.options;
    return hidden === undefined ? [] : recordsOf(this.#loaded()).filter((record) => hidden(record));
  }

  #own(): Visible<R> {
    return visibleOf(this.#loaded(), this.files.options);
  }

  #stores(): Array<{ files: RecordFiles<R>; visible: Visible<R> }> {
    const beside = this.#beside.map(({ files, loaded }) => ({
      files,
      visible: visibleOf(loaded(), files.options),
    }));
    return [{ files: this.files, visible: this.#own() }, ...beside];
  }
}

function placed<R extends NamedRecord>({ paths, readOnly }: RecordFiles<R>, record: R): Placed<R> {
  return { record, paths, readOnly };
}

export interface WriterOptions<R extends NamedRecord> {
  readonly files: RecordFiles<R>;
  readonly loaded: Loaded<R>;
  /** Of the write locks, in the order of the store's locks. */
  readonly guards: readonly LockGuard[];
  readonly beside: readonly Beside<R>[];
  readonly second: Writer<R> | undefined;
}

export class Writer<R extends NamedRecord> extends View<R> implements TableWriter<R> {
  readonly writers: readonly TableWriter<R>[];
  readonly disk: Disk;
  readonly #guards: readonly LockGuard[];
  readonly #dirty = new Set<number>();
  readonly #state: { loaded: Loaded<R> };

  constructor({ files, loaded, guards, beside, second }: WriterOptions<R>) {
    const state = { loaded };
    super(files, () => state.loaded, beside);
    this.#state = state;
    this.#guards = guards;
    this.disk = files.options.disk;
    this.writers = second === undefined ? [this] : [this, second];
  }

  put(record: R, { file = 'main' }: { readonly file?: FileRole } = {}): void {
    const { records, elsewhere } = this.#state.loaded;
    if (!records.has(record.id)) {
      const role = this.files.options.files.findIndex((candidate) => candidate.role === file);
      if (role > 0) elsewhere.set(record.id, role);
    }
    records.set(record.id, record);
    this.#changed(elsewhere.get(record.id) ?? 0);
  }

  remove(id: string): void {
    const { records, elsewhere } = this.#state.loaded;
    if (!records.delete(id)) return;
    this.#changed(elsewhere.get(id) ?? 0);
    elsewhere.delete(id);
  }

  async save(): Promise<void> {
    const { files, format, disk } = this.files.options;
    const { loaded } = this.#state;
    const indexes = [...new Set([...this.#dirty, ...loaded.repaired])].sort();
    if (indexes.length === 0) return;
    const changed = indexes.map((index) => {
      const own = recordsOf(loaded).filter(({ id }) => (loaded.elsewhere.get(id) ?? 0) === index);
      const file = files[index] as TableFile;
      return { ...file, content: format.pieces(own, file.path) };
    });
    const tokens = this.#writeTokens(changed);
    for (const { path, content, role } of changed) {
      makeDirectoryOf(path);
      await atomicWrite(path, content, { sync: role !== 'volatile' });
      if (role !== 'volatile') await disk.named(path);
    }
    this.#dirty.clear();
    this.#state.loaded = { ...loaded, tokens, stamps: this.files.stamps(), repaired: new Set() };
  }

  /** The state in memory, to be seen by views of other stores. */
  loaded(): Loaded<R> {
    return this.#state.loaded;
  }

  /** The state to keep for the next scope: nothing, when memory and disk may differ. */
  clean(): Loaded<R> | undefined {
    return this.#dirty.size === 0 ? this.#state.loaded : undefined;
  }

  /** Only those locks whose files are about to change: others need not read again. */
  #writeTokens(changed: readonly TableFile[]): Buffer[] {
    const { locks } = this.files.options;
    return this.#guards.map((guard, i) => {
      const touched = changed.some((file) => file.lock === locks[i]);
      return touched ? guard.writeToken() : (this.#state.loaded.tokens[i] as Buffer);
    });
  }

  #changed(file: number): void {
    this.#dirty.add(file);
    this.#state.loaded.view = undefined;
  }
}

/** Volatile files are the first ones in some directories of the run root. */
function makeDirectoryOf(path: string): void {
  try {
    makePrivateDirectory(dirname(path));
  } catch (error) {
    throw wrapSystemError(error, `making the directory of ${path}`, 'IO', { path });
  }
}
