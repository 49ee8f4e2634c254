import type { StorageError } from '@sediment/core';
import type { LockWaitOptions } from '../locks/index.ts';
import type { NamedRecord, RecordFiles } from './recordFiles.ts';
import { type Beside, type TableView, type TableWriter, View, Writer } from './tableView.ts';

export type { FileRole, NamedRecord } from './recordFiles.ts';
export type { Placed, TableView, TableWriter } from './tableView.ts';

export interface RecordTableOptions<R extends NamedRecord> {
  /** The files of the writable store. */
  readonly own: RecordFiles<R>;
  /**
   * The images of the graph root, where new ones go to a place of their own: read with the additional stores,
   * and written by those who ask for it.
   */
  readonly second?: RecordFiles<R> | undefined;
  /** Stores that are only read, in the order of looking. */
  readonly additional?: readonly RecordFiles<R>[];
  /**
   * Set where locks are not to be taken: the table is then read between two equal tokens, and writing
   * fails with the error that this function makes for a path.
   */
  readonly refuseWrite: ((path: string) => StorageError) | undefined;
  /** Throws when the store was closed. */
  readonly assertOpen: () => void;
}

export interface WriteOptions extends LockWaitOptions {
  /** Locks the second writable store for writing, too; see {@link TableWriter.writers}. */
  readonly everyStore?: boolean;
}

/**
 * Records of one kind in their JSON files, guarded by upstream's lock files: those of the store itself, and
 * those of additional stores that are only read. Every scope sees all of them, and holds all their locks.
 */
export class RecordTable<R extends NamedRecord> {
  readonly #options: RecordTableOptions<R>;

  constructor(options: RecordTableOptions<R>) {
    this.#options = options;
  }

  /** Graph roots of the stores that are only read. */
  get additionalRoots(): readonly string[] {
    return (this.#options.additional ?? []).map(({ paths }) => paths.graphRoot);
  }

  /** Runs `fn` under the read locks (or on a consistent snapshot). */
  async read<T>(fn: (view: TableView<R>) => Promise<T> | T, options: LockWaitOptions = {}): Promise<T> {
    const { own, second, additional = [], refuseWrite, assertOpen } = this.#options;
    assertOpen();
    const others = [...(second === undefined ? [] : [second]), ...additional];
    if (refuseWrite !== undefined) {
      const beside = others.map((files) => seen(files, files.snapshot()));
      const loaded = own.snapshot();
      return await fn(new View(own, () => loaded, beside));
    }
    return await own.read(
      (loaded) => withBeside(others, options, (beside) => fn(new View(own, () => loaded, beside))),
      options,
    );
  }

  /**
   * Runs `fn` under the write locks, with the additional stores locked for reading. Changes that `fn` did not
   * save are forgotten.
   *
   * @throws {StorageError} `STORE_READ_ONLY` or `NEEDS_USERNS` for a snapshot
   */
  async write<T>(
    fn: (writer: TableWriter<R>) => Promise<T> | T,
    { everyStore = false, ...options }: WriteOptions = {},
  ): Promise<T> {
    const { own, second, additional = [], refuseWrite, assertOpen } = this.#options;
    assertOpen();
    if (refuseWrite !== undefined) throw refuseWrite(own.path);
    if (second === undefined) return await withWriter({ own, others: additional, options }, fn);
    if (!everyStore) return await withWriter({ own, others: [second, ...additional], options }, fn);
    // The first store's lock comes before the second's; so does its writer, which hands out both.
    return await own.write(async (loaded, guards) => {
      return await withWriter({ own: second, others: [], options }, async (other) => {
        return await withBeside(additional, options, async (beside) => {
          const all = [{ files: second, loaded: () => other.loaded() }, ...beside];
          return await run(own, new Writer({ files: own, loaded, guards, beside: all, second: other }), fn);
        });
      });
    }, options);
  }
}

interface WriterScope<R extends NamedRecord> {
  readonly own: RecordFiles<R>;
  readonly others: readonly RecordFiles<R>[];
  readonly options: LockWaitOptions;
}

async function withWriter<R extends NamedRecord, T>(
  { own, others, options }: WriterScope<R>,
  fn: (writer: Writer<R>) => Promise<T> | T,
): Promise<T> {
  return await own.write(async (loaded, guards) => {
    return await withBeside(others, options, async (beside) => {
      return await run(own, new Writer({ files: own, loaded, guards, beside, second: undefined }), fn);
    });
  }, options);
}

async function run<R extends NamedRecord, T>(
  files: RecordFiles<R>,
  writer: Writer<R>,
  fn: (writer: Writer<R>) => Promise<T> | T,
): Promise<T> {
  try {
    return await fn(writer);
  } finally {
    files.keep(writer.clean());
  }
}

/** Runs `fn` under the read locks of all these stores, taken in their order. */
async function withBeside<R extends NamedRecord, T>(
  stores: readonly RecordFiles<R>[],
  options: LockWaitOptions,
  fn: (beside: readonly Beside<R>[]) => Promise<T> | T,
): Promise<T> {
  const next = async (held: readonly Beside<R>[]): Promise<T> => {
    const files = stores[held.length];
    if (files === undefined) return await fn(held);
    return await files.readBeside((loaded) => next([...held, seen(files, loaded)]), options);
  };
  return await next([]);
}

function seen<R extends NamedRecord>(
  files: RecordFiles<R>,
  loaded: ReturnType<Beside<R>['loaded']>,
): Beside<R> {
  return { files, loaded: () => loaded };
}
