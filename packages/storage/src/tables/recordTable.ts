import { readFileSync, statSync } from 'node:fs';
import { errnoCode, StorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
import type { LockFile } from '../locks/index.ts';
import { atomicWrite } from '../records/atomicWrite.ts';
import { settleDuplicateNames } from '../records/names.ts';
import type { RecordFormat } from '../records/recordFormat.ts';
import { RecordIndex } from '../records/recordIndex.ts';
import type { StorePaths } from '../store/storePaths.ts';

/** What every record of the store has: an id, and names that are unique among its kind. */
export interface NamedRecord {
  readonly id: string;
  readonly names: readonly string[];
}

/** One JSON file of a table. Volatile files are written without a sync. */
export interface TableFile {
  readonly path: string;
  readonly volatile: boolean;
}

export interface RecordTableOptions<R extends NamedRecord> {
  /** `layer`, `image` or `container`, for messages. */
  readonly kind: string;
  /** The first file takes new records; further ones are read, and rewritten when their records change. */
  readonly files: readonly TableFile[];
  readonly lock: LockFile;
  readonly paths: StorePaths;
  /**
   * Set where locks are not to be taken: the table is then read between two equal tokens, and writing
   * fails with the error that this function makes for a path.
   */
  readonly refuseWrite: ((path: string) => StorageError) | undefined;
  /** Throws when the store was closed. */
  readonly assertOpen: () => void;
  readonly format: RecordFormat<R>;
  /** A further exact key of a record, such as the layer of a container. */
  readonly aliasOf?: (record: R) => string | undefined;
  /** Records that must never be seen (incomplete layers). */
  readonly hidden?: (record: R) => boolean;
  readonly onWarning: WarningHandler;
}

/** A record together with the store that holds it: this one, or an additional one that is only read. */
export interface Placed<R extends NamedRecord> {
  readonly record: R;
  /** Where the files of that store lie. */
  readonly paths: StorePaths;
  readonly readOnly: boolean;
}

/**
 * Read access to a table; valid only inside the scope that handed it out. Unless it says otherwise, a method
 * sees the records of the writable store alone.
 */
export interface TableView<R extends NamedRecord> {
  /** All records, in file order. */
  all(): readonly R[];
  /** By full id. */
  byId(id: string): R | undefined;
  /** By id, then name, then alias, then unique id prefix. */
  find(idOrName: string): R | undefined;
  /** Ids, not more than ten, of which `prefix` could be the beginning; to tell why it finds nothing. */
  idsWithPrefix(prefix: string): readonly string[];
  /** The records of this store and then of all additional ones. An id may come twice. */
  everywhere(): readonly Placed<R>[];
  /** {@link find} in this store, and then in each additional one. */
  locate(idOrName: string): Placed<R> | undefined;
  /** {@link byId} in this store, and then in each additional one. */
  locateId(id: string): Placed<R> | undefined;
  /** The records that the other methods leave out. */
  hidden(): readonly R[];
  /** Whether the files differ from what is seen here, because two records had one name. A save mends that. */
  readonly needsSave: boolean;
}

/** Write access: changes are kept in memory until {@link TableWriter.save}. */
export interface TableWriter<R extends NamedRecord> extends TableView<R> {
  /** Adds the record, or replaces the one with its id in place. */
  put(record: R): void;
  remove(id: string): void;
  /** Writes a new token, then each file whose records changed or had to be repaired. */
  save(): Promise<void>;
}

interface Loaded<R extends NamedRecord> {
  readonly token: Buffer;
  readonly stamps: readonly string[];
  /** In file order; which file a record belongs to decides where it is saved. */
  readonly records: Map<string, { record: R; file: number }>;
  /** Files whose records had to be repaired, and were not saved yet. */
  readonly repaired: ReadonlySet<number>;
  view: Visible<R> | undefined;
}

interface Visible<R extends NamedRecord> {
  readonly all: readonly R[];
  readonly index: RecordIndex<R>;
}

const SNAPSHOT_TRIES = 100;

/**
 * Records of one kind in their JSON files, guarded by upstream's lock file. The content is kept
 * between scopes and read again when the token in the lock file or a file's time stamp differs, so
 * what another process wrote is always seen.
 */
export class RecordTable<R extends NamedRecord> {
  readonly #options: RecordTableOptions<R>;
  #loaded: Loaded<R> | undefined;

  constructor(options: RecordTableOptions<R>) {
    this.#options = options;
  }

  /** Runs `fn` under the read lock (or on a consistent snapshot). */
  async read<T>(
    fn: (view: TableView<R>) => Promise<T> | T,
    options: { signal?: AbortSignal } = {},
  ): Promise<T> {
    this.#options.assertOpen();
    if (this.#options.refuseWrite !== undefined) return await fn(this.#viewOf(this.#loadSnapshot()));
    return await this.#options.lock.withRead(
      (guard) => fn(this.#viewOf(this.#load(guard.readToken()))),
      options,
    );
  }

  /**
   * Runs `fn` under the write lock. Changes that `fn` did not save are forgotten.
   *
   * @throws {StorageError} `STORE_READ_ONLY` or `NEEDS_USERNS` for a snapshot
   */
  async write<T>(
    fn: (writer: TableWriter<R>) => Promise<T> | T,
    options: { signal?: AbortSignal } = {},
  ): Promise<T> {
    this.#options.assertOpen();
    if (this.#options.refuseWrite !== undefined) throw this.#options.refuseWrite(this.#path);
    return await this.#options.lock.withWrite(async (guard) => {
      const writer = new Writer(this.#options, this.#load(guard.readToken()), () => guard.writeToken());
      try {
        return await fn(writer);
      } finally {
        this.#loaded = writer.clean();
      }
    }, options);
  }

  get #path(): string {
    return this.#options.files[0].path;
  }

  #viewOf(loaded: Loaded<R>): TableView<R> {
    return new View(this.#options, () => loaded);
  }

  #load(token: Buffer): Loaded<R> {
    const stamps = this.#options.files.map((file) => stampOf(file.path));
    const kept = this.#loaded;
    const same = kept?.token.equals(token) === true && kept.stamps.every((stamp, i) => stamp === stamps[i]);
    if (kept !== undefined && same) return kept;
    this.#loaded = { token, stamps, ...readFiles(this.#options), view: undefined };
    return this.#loaded;
  }

  #loadSnapshot(): Loaded<R> {
    const lockPath = this.#options.lock.path;
    for (let i = 0; i < SNAPSHOT_TRIES; i++) {
      const token = readOrEmpty(lockPath);
      const before = this.#options.files.map((file) => stampOf(file.path));
      const loaded = this.#load(token);
      const after = this.#options.files.map((file) => stampOf(file.path));
      if (readOrEmpty(lockPath).equals(token) && before.join() === after.join()) return loaded;
      this.#loaded = undefined;
    }
    throw new StorageError('LOCK_FAILED', `${this.#path}: the file changes faster than it can be read`, {
      path: this.#path,
      hint: 'open the store in shared mode, which takes the lock',
    });
  }
}

class View<R extends NamedRecord> implements TableView<R> {
  protected readonly options: RecordTableOptions<R>;
  readonly #loaded: () => Loaded<R>;

  constructor(options: RecordTableOptions<R>, loaded: () => Loaded<R>) {
    this.options = options;
    this.#loaded = loaded;
  }

  all(): readonly R[] {
    return this.#visible().all;
  }
  byId(id: string): R | undefined {
    return this.#visible().index.byId(id);
  }
  find(idOrName: string): R | undefined {
    return this.#visible().index.find(idOrName);
  }
  idsWithPrefix(prefix: string): readonly string[] {
    const match = this.#visible().index.matchPrefix(prefix);
    if (match === undefined) return [];
    return 'record' in match ? [match.record.id] : match.ambiguous;
  }
  everywhere(): readonly Placed<R>[] {
    return this.all().map((record) => this.#placed(record));
  }
  locate(idOrName: string): Placed<R> | undefined {
    const record = this.find(idOrName);
    return record === undefined ? undefined : this.#placed(record);
  }
  locateId(id: string): Placed<R> | undefined {
    const record = this.byId(id);
    return record === undefined ? undefined : this.#placed(record);
  }
  get needsSave(): boolean {
    return this.#loaded().repaired.size > 0;
  }
  hidden(): readonly R[] {
    const { hidden } = this.options;
    return hidden === undefined ? [] : recordsOf(this.#loaded()).filter((record) => hidden(record));
  }

  #placed(record: R): Placed<R> {
    return { record, paths: this.options.paths, readOnly: false };
  }

  #visible(): Visible<R> {
    const loaded = this.#loaded();
    loaded.view ??= visibleOf(recordsOf(loaded), this.options);
    return loaded.view;
  }
}

class Writer<R extends NamedRecord> extends View<R> implements TableWriter<R> {
  readonly #writeToken: () => Buffer;
  readonly #dirty = new Set<number>();
  readonly #state: { loaded: Loaded<R> };

  constructor(options: RecordTableOptions<R>, loaded: Loaded<R>, writeToken: () => Buffer) {
    const state = { loaded };
    super(options, () => state.loaded);
    this.#state = state;
    this.#writeToken = writeToken;
  }

  put(record: R): void {
    const file = this.#state.loaded.records.get(record.id)?.file ?? 0;
    this.#state.loaded.records.set(record.id, { record, file });
    this.#changed(file);
  }

  remove(id: string): void {
    const entry = this.#state.loaded.records.get(id);
    if (entry === undefined) return;
    this.#state.loaded.records.delete(id);
    this.#changed(entry.file);
  }

  async save(): Promise<void> {
    const { files, format } = this.options;
    const changed = [...new Set([...this.#dirty, ...this.#state.loaded.repaired])].map((file) => {
      const own = [...this.#state.loaded.records.values()].filter((entry) => entry.file === file);
      const records = own.map((entry) => entry.record);
      return { ...files[file], content: format.serialize(records, files[file].path) };
    });
    const token = this.#writeToken();
    for (const { path, content, volatile } of changed) await atomicWrite(path, content, { sync: !volatile });
    this.#dirty.clear();
    const stamps = files.map((file) => stampOf(file.path));
    this.#state.loaded = { ...this.#state.loaded, token, stamps, repaired: new Set() };
  }

  /** The state to keep for the next scope: nothing, when memory and disk may differ. */
  clean(): Loaded<R> | undefined {
    return this.#dirty.size === 0 ? this.#state.loaded : undefined;
  }

  #changed(file: number): void {
    this.#dirty.add(file);
    this.#state.loaded.view = undefined;
  }
}

function recordsOf<R extends NamedRecord>(loaded: Loaded<R>): R[] {
  return [...loaded.records.values()].map((entry) => entry.record);
}

function visibleOf<R extends NamedRecord>(
  records: readonly R[],
  { hidden, aliasOf }: RecordTableOptions<R>,
): Visible<R> {
  const all = hidden === undefined ? records : records.filter((record) => !hidden(record));
  return { all, index: new RecordIndex(all, aliasOf) };
}

/** Reads all files; an id seen before is skipped, and of two records with one name the later keeps it. */
function readFiles<R extends NamedRecord>(
  options: RecordTableOptions<R>,
): Pick<Loaded<R>, 'records' | 'repaired'> {
  const found: Loaded<R>['records'] = new Map();
  for (const [file, { path }] of options.files.entries()) {
    for (const record of options.format.parse(readOrEmpty(path), path)) {
      if (!found.has(record.id)) found.set(record.id, { record, file });
    }
  }
  const { records, settled } = settleDuplicateNames([...found.values()].map((entry) => entry.record));
  for (const { name, loser, winner } of settled) {
    options.onWarning({
      code: 'DUPLICATE_NAME_REPAIRED',
      message: `two ${options.kind}s are named "${name}": ${winner} keeps the name, ${loser} loses it`,
      object: loser,
    });
  }
  for (const record of records) found.set(record.id, { record, file: found.get(record.id)?.file ?? 0 });
  return { records: found, repaired: new Set(settled.map(({ loser }) => found.get(loser)?.file ?? 0)) };
}

function readOrEmpty(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return Buffer.alloc(0);
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}

function stampOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'absent' : `${stat.mtimeNs}:${stat.size}:${stat.ino}`;
}
