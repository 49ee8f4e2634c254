import type { ParentOwners } from '../idmaps/parentOwners.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { AddChainOptions, ChainLayer } from './addChain.ts';
import type { ApplyDiffOptions } from './applyDiff.ts';
import type { ApplyDirectoryOptions } from './applyDirectory.ts';
import type { CreateLayerRequest } from './createLayerRequest.ts';
import { createInDriver, createStoreLayer } from './createStoreLayer.ts';
import { deleteLayer } from './deleteLayer.ts';
import { endingSource } from './endingSource.ts';
import { locateLayer } from './findLayer.ts';
import type { LayerChange } from './layerChanges.ts';
import { type LayerInfo, layerInfo } from './layerInfo.ts';
import { readLayerItem, setLayerItem } from './layerItems.ts';
import { layerParentOwners } from './layerParentOwners.ts';
import {
  getLayer,
  type LayerNames,
  layerSize,
  layersByDigest,
  listLayerNames,
  listLayers,
} from './layerQueries.ts';
import type { DiffOptions, LayerDiff } from './openDiff.ts';
import type { PutLayerRequest, PutLayerResult } from './putLayer.ts';

/**
 * The layers of a store. Where a method takes `idOrName` it takes an id, a name or a unique id prefix, and
 * throws `LAYER_UNKNOWN` for what is none of these. Methods that only read see additional stores, too.
 */
export interface Layers {
  /** All complete layers, in the order of their creation; those of additional stores come last. */
  list(): Promise<readonly LayerInfo[]>;
  /** Ids and names alone, in the order of {@link Layers.list}; cheaper where there are thousands of layers. */
  listNames(): Promise<readonly LayerNames[]>;
  get(idOrName: string): Promise<LayerInfo>;
  /** Paths that the driver uses: `UpperDir`, `WorkDir`, `MergedDir` and `LowerDir` (overlay). */
  driverMetadata(idOrName: string): Promise<Readonly<Record<string, string>>>;
  /** Adds the layers of an image, base first; see {@link addChain}. */
  addChain(chain: readonly ChainLayer[], options?: AddChainOptions): Promise<readonly LayerInfo[]>;
  /**
   * Makes an empty layer, or with `template` a copy of one.
   * @throws {StorageError} `DUPLICATE_ID`, `DUPLICATE_NAME`, `LAYER_UNKNOWN` (parent, template),
   *   `PARENT_IS_CONTAINER`, `ID_MAP_INVALID`, `INVALID_MAPPINGS`, `BIG_DATA_NAME_INVALID`
   */
  create(request?: CreateLayerRequest): Promise<LayerInfo>;
  /**
   * Makes a layer and fills it from a stream, of which size and digests are recorded; see {@link putLayer}.
   * @throws {StorageError} as {@link create}; `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DIFF_ID_MISMATCH`;
   *   `COMPRESSION_INVALID`, `TAR_INVALID`, `TAR_TRUNCATED`, `TAR_DUPLICATE_PATH`,
   *   `TAR_ENTRY_UNSUPPORTED`, `UNPACK_UNSAFE`, `UNPACK_FAILED`, `ID_UNMAPPED`; `NO_SPACE`; `ABORTED`
   */
  put(request: PutLayerRequest): Promise<PutLayerResult>;
  /**
   * Unpacks a stream into a layer; returns the bytes of file content that were written. Sensible for an empty
   * layer, since the record then tells of this stream alone; see {@link applyDiff}.
   * @throws {StorageError} the codes of unpacking, see {@link put}
   */
  applyDiff(idOrName: string, diff: AsyncIterable<Uint8Array>, options?: ApplyDiffOptions): Promise<number>;
  /**
   * Makes a directory of the host the content of an empty overlay layer.
   * @throws {StorageError} `NOT_SUPPORTED` on vfs, or without the pull option `enable_partial_images`;
   *   `LAYER_NOT_EMPTY`
   */
  applyDiffFromDirectory(idOrName: string, directory: string, options?: ApplyDirectoryOptions): Promise<void>;
  /**
   * The difference of a layer to its parent, or to another layer, as a layer archive. A layer that was
   * filled from an archive gives it back, byte for byte. The layers stay locked while the archive is read; see
   * {@link LayerDiff}.
   * @throws {StorageError} `COMPRESSION_UNSUPPORTED` for bzip2 and xz, which are only read; while reading also
   *   `FILE_INTEGRITY`, `TAR_SPLIT_INVALID`, `MOUNT_FAILED`, `ID_UNMAPPED`
   */
  diff(idOrName: string, options?: DiffOptions): Promise<LayerDiff>;
  /** What differs in a layer from `from`: its parent, if absent, empty or (but for a base layer) unknown. */
  changes(idOrName: string, from?: string): Promise<readonly LayerChange[]>;
  /** Bytes of the files in which a layer differs from `from`; see {@link changes}. */
  diffSize(idOrName: string, from?: string): Promise<number>;
  /**
   * Owners of the directories above the mount point that the layer's id maps cannot express.
   * @throws {StorageError} `LAYER_UNKNOWN`, `LAYER_NOT_MOUNTED`
   */
  parentOwners(idOrName: string): Promise<ParentOwners>;
  /**
   * Makes a layer in the driver alone, without a record; returns its id. Of the request only id, parent,
   * label, maps, `readWrite` and `storageOptions` count.
   * @throws {StorageError} `DUPLICATE_ID`, `LAYER_UNKNOWN`
   */
  createInDriver(request?: CreateLayerRequest): Promise<string>;
  /** Ids of all layers that the driver knows, with a record or without. */
  driverLayers(): Promise<readonly string[]>;
  /** Size in bytes of the tar that filled the layer; undefined when none did. */
  size(idOrName: string): Promise<number | undefined>;
  /**
   * Layers filled from a blob of this digest, as it was handed in.
   * @throws {StorageError} `LAYER_UNKNOWN` when there is none; `DIGEST_INVALID`
   */
  byCompressedDigest(digest: string): Promise<readonly LayerInfo[]>;
  /** The same for the digest of the uncompressed tar. */
  byDiffID(diffID: string): Promise<readonly LayerInfo[]>;
  /** The same for the digest of the table of contents of a partial pull. */
  byTocDigest(digest: string): Promise<readonly LayerInfo[]>;
  /**
   * A document kept with the layer.
   * @throws {StorageError} `BIG_DATA_UNKNOWN`
   */
  bigData(idOrName: string, key: string): Promise<Buffer>;
  /**
   * Keeps a document with the layer, replacing the one of that name.
   * @throws {StorageError} `BIG_DATA_NAME_INVALID`
   */
  setBigData(idOrName: string, key: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Names of the documents kept with the layer, in the order in which they came. */
  bigDataNames(idOrName: string): Promise<readonly string[]>;
  /**
   * Deletes a layer that nothing needs.
   * @throws {StorageError} `LAYER_HAS_CHILDREN`, `LAYER_USED_BY_IMAGE`, `LAYER_USED_BY_CONTAINER`
   */
  delete(idOrName: string): Promise<void>;
}

/** What unpacks, compares or writes archives is loaded by the first call: a listing is done before that is read. */
export class StoreLayers implements Layers {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async list(): Promise<readonly LayerInfo[]> {
    return await listLayers(this.#context);
  }

  async listNames(): Promise<readonly LayerNames[]> {
    return await listLayerNames(this.#context);
  }

  async get(idOrName: string): Promise<LayerInfo> {
    return await getLayer(this.#context, idOrName);
  }

  async driverMetadata(idOrName: string): Promise<Readonly<Record<string, string>>> {
    return await this.#context.layers.read((view) => {
      return this.#context.driver.metadata(locateLayer(view, idOrName).record.id);
    });
  }

  async addChain(chain: readonly ChainLayer[], options: AddChainOptions = {}): Promise<readonly LayerInfo[]> {
    const { addChain } = await import('./addChain.ts');
    return await addChain(this.#context, chain, options);
  }

  async create(request: CreateLayerRequest = {}): Promise<LayerInfo> {
    return await this.#context.change(async () => layerInfo(await createStoreLayer(this.#context, request)));
  }

  async put(request: PutLayerRequest): Promise<PutLayerResult> {
    return await endingSource(request.diff, () =>
      this.#context.change(async () => {
        const { putLayer } = await import('./putLayer.ts');
        return await putLayer(this.#context, request);
      }),
    );
  }

  async applyDiff(
    idOrName: string,
    diff: AsyncIterable<Uint8Array>,
    options: ApplyDiffOptions = {},
  ): Promise<number> {
    return await endingSource(diff, () =>
      this.#context.change(async () => {
        const { applyDiff } = await import('./applyDiff.ts');
        return await applyDiff(this.#context, idOrName, diff, options);
      }),
    );
  }

  async applyDiffFromDirectory(
    idOrName: string,
    directory: string,
    options: ApplyDirectoryOptions = {},
  ): Promise<void> {
    await this.#context.change(async () => {
      const { applyDiffFromDirectory } = await import('./applyDirectory.ts');
      await applyDiffFromDirectory(this.#context, idOrName, directory, options);
    });
  }

  async diff(idOrName: string, options: DiffOptions = {}): Promise<LayerDiff> {
    const { openDiff } = await import('./openDiff.ts');
    return await openDiff(this.#context, idOrName, options);
  }

  async changes(idOrName: string, from?: string): Promise<readonly LayerChange[]> {
    const { layerChanges } = await import('./layerChanges.ts');
    return await layerChanges(this.#context, idOrName, from);
  }

  async diffSize(idOrName: string, from?: string): Promise<number> {
    const { layerDiffSize } = await import('./layerChanges.ts');
    return await layerDiffSize(this.#context, idOrName, from);
  }

  async parentOwners(idOrName: string): Promise<ParentOwners> {
    return await this.#context.layers.read((view) => layerParentOwners(this.#context, view, idOrName));
  }

  async createInDriver(request: CreateLayerRequest = {}): Promise<string> {
    return await this.#context.change(() => createInDriver(this.#context, request));
  }

  async driverLayers(): Promise<readonly string[]> {
    return this.#context.driver.list();
  }

  async size(idOrName: string): Promise<number | undefined> {
    return await layerSize(this.#context, idOrName);
  }

  async byCompressedDigest(digest: string): Promise<readonly LayerInfo[]> {
    return await layersByDigest(this.#context, 'compressedDiffDigest', digest);
  }

  async byDiffID(diffID: string): Promise<readonly LayerInfo[]> {
    return await layersByDigest(this.#context, 'diffDigest', diffID);
  }

  async byTocDigest(digest: string): Promise<readonly LayerInfo[]> {
    return await layersByDigest(this.#context, 'tocDigest', digest);
  }

  async bigData(idOrName: string, key: string): Promise<Buffer> {
    return await readLayerItem(this.#context, idOrName, key);
  }

  async setBigData(
    idOrName: string,
    key: string,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    // A slow source must not keep the store locked.
    const all = bytes instanceof Uint8Array ? bytes : await collectBytes(bytes);
    await this.#context.change(() => setLayerItem(this.#context, idOrName, { name: key, bytes: all }));
  }

  async bigDataNames(idOrName: string): Promise<readonly string[]> {
    return await this.#context.layers.read((view) => [...locateLayer(view, idOrName).record.bigDataNames]);
  }

  async delete(idOrName: string): Promise<void> {
    await this.#context.change(() => deleteLayer(this.#context, idOrName));
  }
}

async function collectBytes(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
