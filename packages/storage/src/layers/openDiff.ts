import { createReadStream, existsSync, statSync } from 'node:fs';
import { assembleTar, batched, encoderFor, readTarSplit } from '@sediment/codec';
import { type Compression, StorageError, wrapSystemError } from '@sediment/core';
import { driverDiff } from '../drivers/diff/driverDiff.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { Placed, TableView } from '../tables/recordTable.ts';
import { registerNativeCodecs } from '../unpack/nativeCodecs.ts';
import { IdleScope, madeInside } from './idleScope.ts';
import { LayerFiles } from './layerFiles.ts';
import { type ComparedLayers, findPair } from './layerPair.ts';

export interface DiffOptions {
  /**
   * Layer to compare with, by id, name or unique id prefix; the parent, if absent, empty or
   * (but for a base layer) unknown.
   * Only a comparison with the parent gives the archive back that the layer was filled from.
   */
  readonly from?: string | undefined;
  /** As the layer's archive came, if absent. */
  readonly compression?: Compression | undefined;
  /**
   * Give chunks that are valid only until the next one is pulled, and may lie in memory that threads share, which saves copying all
   * of them. Default: false.
   */
  readonly reuseChunks?: boolean | undefined;
  /** Ends the waiting for the layers lock. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A layer archive that is being read. The layers stay locked while it is read, and for a moment after each piece;
 * a reader that takes a longer rest may find that the layer was deleted meanwhile (`LAYER_UNKNOWN`).
 */
export interface LayerDiff extends AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly compression: Compression;
}

const READ_BYTES = 256 * 1024;

type DiffedLayers = Placed<LayerRecord> & ComparedLayers;

/**
 * The difference of a layer to another as a layer archive. Compared with its parent, a layer that was filled
 * from an archive gives that archive, byte for byte (when uncompressed).
 *
 * @throws {StorageError} `LAYER_UNKNOWN`, `COMPRESSION_UNSUPPORTED`, `ABORTED`; while reading also
 *   `FILE_INTEGRITY`, `TAR_SPLIT_INVALID`, `MOUNT_FAILED`, `ID_UNMAPPED`, `IO`
 */
export async function openDiff(
  context: StoreContext,
  idOrName: string,
  { from, compression, reuseChunks = false, signal }: DiffOptions = {},
): Promise<LayerDiff> {
  registerNativeCodecs();
  let layers: DiffedLayers | undefined;
  let content = '';
  const look = (view: TableView<LayerRecord>) => {
    if (layers === undefined) {
      layers = findPair(view, idOrName, from);
      content = contentOf(context, layers);
    } else if (contentOf(context, layers) !== content) throw replaced(layers.record.id);
  };
  const scope = new IdleScope((inside) =>
    context.layers.read(
      (view) => {
        look(view);
        return inside();
      },
      signal === undefined ? {} : { signal },
    ),
  );
  const found = await scope.use(() => layers as DiffedLayers);
  try {
    const chosen = compression ?? found.record.compression;
    const bytes = encoderFor(chosen)(madeInside(scope, tarOf(context, found)));
    // Inside, a chunk is valid until the next one is pulled. A caller, such as a file stream, keeps several.
    return new OpenDiff(chosen, reuseChunks ? bytes : copied(bytes), scope);
  } catch (error) {
    await scope.end();
    throw error;
  }
}

/** Tells the directories of the layers from others that came in their place. */
function contentOf({ driver }: StoreContext, { record, base }: DiffedLayers): string {
  const ids = [record.id, ...(base === undefined ? [] : [base.id])];
  const directories = ids.flatMap((id) => (driver.exists(id) ? driver.contentDirectories(id) : [id]));
  return directories.map((path) => statSync(path, { throwIfNoEntry: false })?.ino).join();
}

function replaced(id: string): StorageError {
  return new StorageError(
    'LAYER_UNKNOWN',
    `layer ${id} was deleted or replaced while its archive was being read: layer not known`,
    { object: id, hint: 'read on without long rests, or try again' },
  );
}

/** The archive, uncompressed. The layers lock must be held until it ends. */
export async function* tarOf(
  context: StoreContext,
  { record, paths, base, isParent, maps }: Placed<LayerRecord> & ComparedLayers,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { driver, onWarning } = context;
  const tarSplit = paths.tarSplit(record.id);
  if (isParent && existsSync(tarSplit)) {
    const files = new LayerFiles(driver, record.id);
    try {
      const entries = readTarSplit(fileBytes(tarSplit), `tar-split of layer ${record.id}`);
      yield* assembleTar(entries, (name) => files.open(name));
    } finally {
      files.close();
    }
    return;
  }
  yield* batched(driverDiff({ driver, layer: { id: record.id, maps }, base }, onWarning));
}

async function* fileBytes(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path, { highWaterMark: READ_BYTES });
  } catch (error) {
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}

async function* copied(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) yield Buffer.from(chunk);
}

class OpenDiff implements LayerDiff {
  readonly compression: Compression;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #scope: IdleScope;

  constructor(compression: Compression, bytes: AsyncIterable<Uint8Array>, scope: IdleScope) {
    this.compression = compression;
    this.#iterator = bytes[Symbol.asyncIterator]();
    this.#scope = scope;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of { [Symbol.asyncIterator]: () => this.#iterator }) yield chunk;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#iterator.return?.();
    } finally {
      await this.#scope.end();
    }
  }
}
