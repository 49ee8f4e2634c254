import { type BigIntStats, closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import {
  errnoCode,
  isStorageError,
  StorageError,
  type WarningHandler,
  wrapSystemError,
} from '@sediment/core';
import type { Disk } from '../durability/disk.ts';
import type { LockFile, LockGuard, LockWaitOptions } from '../locks/index.ts';
import { settleDuplicateNames } from '../records/names.ts';
import type { RecordFormat } from '../records/recordFormat.ts';
import { RecordIndex } from '../records/recordIndex.ts';
import type { StorePaths } from '../store/storePaths.ts';

/** What every record of the store has: an id, and names that are unique among its kind. */
export interface NamedRecord {
  readonly id: string;
  readonly names: readonly string[];
}

/**
 * What a file of records is for: `main` takes new records, `images` the layers of images where these lie in a
 * place of their own, `volatile` what need not survive a crash; it is written without a sync.
 */
export type FileRole = 'main' | 'images' | 'volatile';

/** One JSON file of a table. */
export interface TableFile {
  readonly path: string;
  readonly role: FileRole;
  /** Guards the file; one of {@link RecordFilesOptions.locks}. */
  readonly lock: LockFile;
}

export interface RecordFilesOptions<R extends NamedRecord> {
  /** `layer`, `image` or `container`, for messages. */
  readonly kind: string;
  /** In the order of reading; of two records with one id the first counts. */
  readonly files: readonly TableFile[];
  /** In the order of locking. */
  readonly locks: readonly LockFile[];
  readonly disk: Disk;
  /** Where the other files of this store lie. */
  readonly paths: StorePaths;
  readonly format: RecordFormat<R>;
  /** A further exact key of a record, such as the layer of a container. */
  readonly aliasOf?: (record: R) => string | undefined;
  /** Records that must never be seen (incomplete layers). */
  readonly hidden?: (record: R) => boolean;
  readonly onWarning: WarningHandler;
}

/** The records of one store as they were read. */
export interface Loaded<R extends NamedRecord> {
  /** Of each lock. */
  readonly tokens: readonly Buffer[];
  /** Of each file. */
  readonly stamps: readonly string[];
  /** In file order. */
  readonly records: Map<string, R>;
  /** Which file a record belongs to decides where it is saved: ids of those that are not in the first one. */
  readonly elsewhere: Map<string, number>;
  /** Files whose records had to be repaired, and were not saved yet. */
  readonly repaired: ReadonlySet<number>;
  view: Visible<R> | undefined;
}

export interface Visible<R extends NamedRecord> {
  readonly all: readonly R[];
  readonly index: RecordIndex<R>;
  byId(id: string): R | undefined;
}

const SNAPSHOT_TRIES = 100;

/**
 * The record files of one store and what was read of them. It is read again when the token in a lock file
 * or the time stamp of a file differs, so what another process wrote is always seen.
 */
export class RecordFiles<R extends NamedRecord> {
  readonly options: RecordFilesOptions<R>;
  /** Whether this store is one that is only read. */
  readonly readOnly: boolean;
  #loaded: Loaded<R> | undefined;

  constructor(options: RecordFilesOptions<R>) {
    this.options = options;
    this.readOnly = options.locks.every((lock) => lock.readOnly);
  }

  get paths(): StorePaths {
    return this.options.paths;
  }

  /** Of the file that takes new records. */
  get path(): string {
    return (this.options.files[0] as TableFile).path;
  }

  /** Runs `fn` under the read locks. */
  async read<T>(fn: (loaded: Loaded<R>) => Promise<T> | T, options: LockWaitOptions): Promise<T> {
    return await underLocks(this.options.locks, 'read', options, (guards) => fn(this.load(tokensOf(guards))));
  }

  /** Runs `fn` under the write locks; it hands back the state to keep for the next scope. */
  async write<T>(
    fn: (loaded: Loaded<R>, guards: readonly LockGuard[]) => Promise<T> | T,
    options: LockWaitOptions,
  ): Promise<T> {
    return await underLocks(this.options.locks, 'write', options, (guards) =>
      fn(this.load(tokensOf(guards)), guards),
    );
  }

  /**
   * {@link read} for a store that is looked at beside another. Where the lock file of one that is only read
   * cannot be opened, because the medium is read-only or the store has none, the store is read as a
   * {@link snapshot}: who can write to it does so elsewhere.
   */
  async readBeside<T>(fn: (loaded: Loaded<R>) => Promise<T> | T, options: LockWaitOptions): Promise<T> {
    if (!this.readOnly) return await this.read(fn, options);
    let entered = false;
    try {
      return await this.read((loaded) => {
        entered = true;
        return fn(loaded);
      }, options);
    } catch (error) {
      if (entered || !hasNoLock(error)) throw error;
    }
    return await fn(this.snapshot());
  }

  /** The records without any lock: read between two equal tokens and time stamps. */
  snapshot(): Loaded<R> {
    const lockTokens = () => this.options.locks.map(({ path }) => readOrEmpty(path));
    for (let i = 0; i < SNAPSHOT_TRIES; i++) {
      const tokens = lockTokens();
      const before = this.stamps();
      const loaded = this.load(tokens);
      if (sameTokens(tokens, lockTokens()) && before.join() === this.stamps().join()) return loaded;
      this.#loaded = undefined;
    }
    throw new StorageError('LOCK_FAILED', `${this.path}: the file changes faster than it can be read`, {
      path: this.path,
      hint: 'open the store in shared mode, which takes the lock',
    });
  }

  /** What to keep for the next scope: nothing, when memory and disk may differ. */
  keep(loaded: Loaded<R> | undefined): void {
    this.#loaded = loaded;
  }

  stamps(): string[] {
    return this.options.files.map((file) => stampOf(file.path));
  }

  load(tokens: readonly Buffer[]): Loaded<R> {
    const stamps = this.stamps();
    const kept = this.#loaded;
    const fresh = kept?.stamps.every((stamp, i) => stamp === stamps[i]) === true;
    if (kept !== undefined && fresh && sameTokens(kept.tokens, tokens)) return kept;
    this.#loaded = undefined;
    this.#loaded = { tokens, stamps, ...this.#readFiles(), view: undefined };
    return this.#loaded;
  }

  /** Reads all files; an id seen before is skipped, and of two records with one name the later keeps it. */
  #readFiles(): Pick<Loaded<R>, 'records' | 'elsewhere' | 'repaired'> {
    const { files, format, kind, onWarning } = this.options;
    const found: Loaded<R>['records'] = new Map();
    const elsewhere: Loaded<R>['elsewhere'] = new Map();
    for (const [file, { path }] of files.entries()) {
      for (const record of readRecords(path, format)) {
        if (found.has(record.id)) continue;
        found.set(record.id, record);
        if (file > 0) elsewhere.set(record.id, file);
      }
    }
    const { records, settled } = settleDuplicateNames([...found.values()]);
    for (const { name, loser, winner } of settled) {
      if (this.readOnly) throw sameNames(kind, this.path, name, [loser, winner]);
      onWarning({
        code: 'DUPLICATE_NAME_REPAIRED',
        message: `two ${kind}s are named "${name}": ${winner} keeps the name, ${loser} loses it`,
        object: loser,
      });
    }
    if (settled.length === 0) return { records: found, elsewhere, repaired: new Set() };
    for (const record of records) found.set(record.id, record);
    return {
      records: found,
      elsewhere,
      repaired: new Set(settled.map(({ loser }) => elsewhere.get(loser) ?? 0)),
    };
  }
}

export function recordsOf<R extends NamedRecord>(loaded: Loaded<R>): R[] {
  return [...loaded.records.values()];
}

/**
 * The records that may be seen; made once for each load, and each part when asked for: a listing needs no index, and who
 * looks for ids no list.
 */
export function visibleOf<R extends NamedRecord>(
  loaded: Loaded<R>,
  { hidden = () => false, aliasOf }: RecordFilesOptions<R>,
): Visible<R> {
  if (loaded.view === undefined) {
    let all: readonly R[] | undefined;
    let index: RecordIndex<R> | undefined;
    loaded.view = {
      get all() {
        all ??= recordsOf(loaded).filter((record) => !hidden(record));
        return all;
      },
      get index() {
        index ??= new RecordIndex(this.all, aliasOf);
        return index;
      },
      byId: (id) => {
        const record = loaded.records.get(id);
        return record === undefined || hidden(record) ? undefined : record;
      },
    };
  }
  return loaded.view;
}

async function underLocks<T>(
  locks: readonly LockFile[],
  mode: 'read' | 'write',
  options: LockWaitOptions,
  fn: (guards: readonly LockGuard[]) => Promise<T> | T,
): Promise<T> {
  const next = async (held: readonly LockGuard[]): Promise<T> => {
    const lock = locks[held.length];
    if (lock === undefined) return await fn(held);
    const inner = (guard: LockGuard) => next([...held, guard]);
    return mode === 'read' ? await lock.withRead(inner, options) : await lock.withWrite(inner, options);
  };
  return await next([]);
}

function tokensOf(guards: readonly LockGuard[]): Buffer[] {
  return guards.map((guard) => guard.readToken());
}

function sameTokens(one: readonly Buffer[], other: readonly Buffer[]): boolean {
  return one.every((token, i) => other[i]?.equals(token) === true);
}

/** Whether opening a lock file failed because it is not there and cannot be made, or is not for us. */
function hasNoLock(error: unknown): boolean {
  if (isStorageError(error, 'STORE_READ_ONLY') || isStorageError(error, 'PERMISSION_DENIED')) return true;
  return isStorageError(error, 'LOCK_FAILED') && errnoCode(error.cause) === 'ENOENT';
}

function sameNames(kind: string, path: string, name: string, usedBy: readonly string[]): StorageError {
  return new StorageError(
    'DUPLICATE_NAMES_READ_ONLY',
    `${path}: name "${name}": read-only ${kind} store assigns the same name to multiple ${kind}s`,
    {
      object: name,
      usedBy: [...usedBy],
      path,
      hint: 'open that store by itself once, which settles it, or remove it from additionalimagestores',
    },
  );
}

function readOrEmpty(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return Buffer.alloc(0);
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}

/** The records of a file, which is opened once: another one may take its name meanwhile. */
function readRecords<R extends NamedRecord>(path: string, format: RecordFormat<R>): R[] {
  const io = <T>(fn: () => T): T => {
    try {
      return fn();
    } catch (error) {
      throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
    }
  };
  const fd = io(() => openIfPresent(path));
  if (fd === undefined) return format.parse('', path);
  try {
    let position = 0;
    const plain = format.parseNext((target, offset) => {
      const count = io(() => readSync(fd, target, offset, target.length - offset, position));
      position += count;
      return count;
    });
    // From the beginning: what was read so far was read by position.
    return (
      plain ??
      format.parse(
        io(() => readFileSync(fd)),
        path,
      )
    );
  } finally {
    closeSync(fd);
  }
}

function openIfPresent(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function stampOf(path: string): string {
  let stat: BigIntStats | undefined;
  try {
    stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    throw wrapSystemError(error, `looking at ${path}`, 'IO', { path });
  }
  return stat === undefined ? 'absent' : `${stat.mtimeNs}:${stat.size}:${stat.ino}`;
}
