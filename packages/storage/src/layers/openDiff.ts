import { createReadStream, existsSync } from 'node:fs';
import { assembleTar, encoderFor, readTarSplit } from '@sediment/codec';
import { type Compression, wrapSystemError } from '@sediment/core';
import { driverDiff } from '../drivers/diff/driverDiff.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { Placed } from '../tables/recordTable.ts';
import { registerNativeCodecs } from '../unpack/nativeCodecs.ts';
import { holdScope } from './heldScope.ts';
import { type ComparedLayers, findPair } from './layerPair.ts';
import { openLayerFile } from './openLayerFile.ts';

export interface DiffOptions {
  /**
   * Layer to compare with, by id, name or unique id prefix; the parent, if absent, empty or unknown.
   * Only a comparison with the parent gives the archive back that the layer was filled from.
   */
  readonly from?: string | undefined;
  /** As the layer's archive came, if absent. */
  readonly compression?: Compression | undefined;
}

/**
 * A layer archive that is being read. The layers stay locked until it ends or is disposed of. Do not wait for
 * another method of the store meanwhile: one that changes something waits for the archive, and all others may
 * wait for that one.
 */
export interface LayerDiff extends AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly compression: Compression;
}

/**
 * The difference of a layer to another as a layer archive. Compared with its parent, a layer that was filled
 * from an archive gives that archive, byte for byte (when uncompressed).
 *
 * @throws {StorageError} `LAYER_UNKNOWN`, `COMPRESSION_UNSUPPORTED`; while reading also `FILE_INTEGRITY`,
 *   `TAR_SPLIT_INVALID`, `MOUNT_FAILED`, `ID_UNMAPPED`, `IO`
 */
export async function openDiff(
  context: StoreContext,
  idOrName: string,
  { from, compression }: DiffOptions = {},
): Promise<LayerDiff> {
  registerNativeCodecs();
  const held = await holdScope<Placed<LayerRecord> & ComparedLayers>((inside) =>
    context.layers.read((view) => inside(findPair(view, idOrName, from))),
  );
  try {
    const chosen = compression ?? held.value.record.compression;
    const encode = encoderFor(chosen);
    return new OpenDiff(chosen, encode(tarOf(context, held.value)), held.release);
  } catch (error) {
    await held.release();
    throw error;
  }
}

/** The archive, uncompressed. The layers lock must be held until it ends. */
export async function* tarOf(
  context: StoreContext,
  { record, paths, base, isParent, maps }: Placed<LayerRecord> & ComparedLayers,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { driver, onWarning } = context;
  const tarSplit = paths.tarSplit(record.id);
  if (isParent && existsSync(tarSplit)) {
    const entries = readTarSplit(fileBytes(tarSplit), `tar-split of layer ${record.id}`);
    yield* assembleTar(entries, (name) => openLayerFile(driver, record.id, name));
    return;
  }
  yield* driverDiff({ driver, layer: { id: record.id, maps }, base }, onWarning);
}

async function* fileBytes(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path);
  } catch (error) {
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}

class OpenDiff implements LayerDiff {
  readonly compression: Compression;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #release: () => Promise<void>;

  constructor(compression: Compression, bytes: AsyncIterable<Uint8Array>, release: () => Promise<void>) {
    this.compression = compression;
    this.#iterator = bytes[Symbol.asyncIterator]();
    this.#release = release;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      // Inside, a chunk is valid until the next one is pulled. A caller, such as a file stream, keeps several.
      for await (const chunk of { [Symbol.asyncIterator]: () => this.#iterator }) yield Buffer.from(chunk);
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#iterator.return?.();
    } finally {
      await this.#release();
    }
  }
}
