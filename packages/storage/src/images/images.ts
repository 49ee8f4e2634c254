import type { Digest } from '@sediment/core';
import { followNames } from '../blobs/followStore.ts';
import { locateLayer } from '../layers/findLayer.ts';
import { type ImageRecord, imageDigests } from '../records/imageRecord.ts';
import { withAddedNames, withoutNames } from '../records/names.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { StorePaths } from '../store/storePaths.ts';
import { makeUserDirectory } from '../store/userDirectory.ts';
import type { NamesChange, TakenName } from '../tables/moveNames.ts';
import { type CreateImageRequest, createImage } from './createImage.ts';
import { type DeleteImageOptions, deleteImage } from './deleteImage.ts';
import { locateImage } from './findImage.ts';
import { type ImageInfo, imageInfo, placedImageInfo } from './imageInfo.ts';
import { imageItemDigest, imageItemSize, readImageItem, setImageItem } from './imageItems.ts';
import { type PutImageRequest, type PutImageResult, putImage } from './putImage.ts';
import { renameImage } from './renameImage.ts';

export interface NamesResult {
  readonly image: ImageInfo;
  /** Names that other images lost. */
  readonly taken: readonly TakenName[];
}

/**
 * The images of a store, and those of its additional stores, which are only read. Names are taken as they
 * are: callers normalise references. A name belongs to one image; giving it to another takes it away from
 * the first, and the result says so.
 */
export interface Images {
  /** All images in the order of their records, those of additional stores last. An id may come twice. */
  list(): Promise<readonly ImageInfo[]>;
  /**
   * By id, exact name or unique id prefix.
   * @throws {StorageError} `IMAGE_UNKNOWN`
   */
  get(idOrName: string): Promise<ImageInfo>;
  /** All images that this digest names: their own, or that of an item whose name starts with `manifest`. */
  byDigest(digest: Digest): Promise<readonly ImageInfo[]>;
  /**
   * All images whose top layer, or a mapped copy of it, this is.
   * @throws {StorageError} `LAYER_UNKNOWN`
   */
  byTopLayer(layerIdOrName: string): Promise<readonly ImageInfo[]>;
  /** Makes a new image; see {@link createImage}. */
  create(request: CreateImageRequest): Promise<ImageInfo>;
  /** Records an image, or adds to the one of that id; see {@link putImage}. */
  put(request: PutImageRequest): Promise<PutImageResult>;
  /**
   * A document kept with the image: `manifest`, `manifest-<digest>`, or the config under its digest.
   * @throws {StorageError} `IMAGE_UNKNOWN`, `BIG_DATA_UNKNOWN`
   */
  bigData(idOrName: string, key: string): Promise<Buffer>;
  /** The keys of the documents, in the order in which they were first set. */
  bigDataNames(idOrName: string): Promise<readonly string[]>;
  /** Bytes of a document. @throws {StorageError} `IMAGE_UNKNOWN`, `SIZE_UNKNOWN` */
  bigDataSize(idOrName: string, key: string): Promise<number>;
  /** The recorded digest of a document. @throws {StorageError} `IMAGE_UNKNOWN`, `DIGEST_UNKNOWN` */
  bigDataDigest(idOrName: string, key: string): Promise<Digest>;
  /**
   * Sets a document, new or known. The image must be in the writable store.
   *
   * @param options.digest the sha256 of the bytes, if absent; of a signed schema 1 manifest it must be given
   * @throws {StorageError} `IMAGE_UNKNOWN`, `BIG_DATA_NAME_INVALID`
   */
  setBigData(
    idOrName: string,
    key: string,
    bytes: Uint8Array,
    options?: { readonly digest?: Digest },
  ): Promise<void>;
  /** A directory for whoever works with the image, which goes when the image is deleted; made if missing. */
  directory(idOrName: string): Promise<string>;
  /** Like {@link directory}, for what need not survive a restart. */
  runDirectory(idOrName: string): Promise<string>;
  /**
   * Bytes of the image: the uncompressed diffs of all its layers, mapped copies of the top layer included, and
   * its documents.
   *
   * @throws {StorageError} `IMAGE_UNKNOWN`, `LAYER_UNKNOWN`, `SIZE_UNKNOWN`
   */
  size(idOrName: string): Promise<number>;
  /** Replaces all names. */
  setNames(idOrName: string, names: readonly string[]): Promise<NamesResult>;
  /**
   * Adds names in front of the present ones. The image of an additional store is copied into the writable one
   * and gets the names there; so it is with the other two.
   */
  addNames(idOrName: string, names: readonly string[]): Promise<NamesResult>;
  /** Removes names; those that the image does not have are ignored. */
  removeNames(idOrName: string, names: readonly string[]): Promise<NamesResult>;
  /**
   * Deletes the image, all its names, and the layers that only it needs; returns their ids.
   * @throws {StorageError} `IMAGE_UNKNOWN`, `IMAGE_USED_BY_CONTAINER`
   */
  delete(idOrName: string, options?: DeleteImageOptions): Promise<readonly string[]>;
}

export class StoreImages implements Images {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async list(): Promise<readonly ImageInfo[]> {
    return await this.#context.images.read((view) => view.everywhere().map(placedImageInfo));
  }

  async get(idOrName: string): Promise<ImageInfo> {
    return await this.#context.images.read((view) => placedImageInfo(locateImage(view, idOrName)));
  }

  async byDigest(digest: Digest): Promise<readonly ImageInfo[]> {
    return await this.#listWhere((image) => imageDigests(image).includes(digest));
  }

  async byTopLayer(layerIdOrName: string): Promise<readonly ImageInfo[]> {
    const { id } = await this.#context.layers.read((view) => locateLayer(view, layerIdOrName).record);
    return await this.#listWhere(({ layer, mappedLayers }) => layer === id || mappedLayers.includes(id));
  }

  async create(request: CreateImageRequest): Promise<ImageInfo> {
    return await this.#naming(() => createImage(this.#context, request));
  }

  async put(request: PutImageRequest): Promise<PutImageResult> {
    return await this.#naming(() => putImage(this.#context, request));
  }

  async bigData(idOrName: string, key: string): Promise<Buffer> {
    return await this.#context.images.read((view) => readImageItem(view, idOrName, key));
  }

  async bigDataNames(idOrName: string): Promise<readonly string[]> {
    return await this.#context.images.read((view) => [...locateImage(view, idOrName).record.bigDataNames]);
  }

  async bigDataSize(idOrName: string, key: string): Promise<number> {
    return await this.#context.images.read((view) => imageItemSize(view, idOrName, key));
  }

  async bigDataDigest(idOrName: string, key: string): Promise<Digest> {
    return await this.#context.images.read((view) => imageItemDigest(view, idOrName, key));
  }

  async setBigData(
    idOrName: string,
    key: string,
    bytes: Uint8Array,
    options: { readonly digest?: Digest } = {},
  ): Promise<void> {
    const item = { name: key, bytes, ...options };
    await this.#context.change(() => setImageItem(this.#context, idOrName, item));
  }

  async directory(idOrName: string): Promise<string> {
    return await this.#userDirectory(idOrName, (paths, id) => paths.imageData(id));
  }

  async runDirectory(idOrName: string): Promise<string> {
    return await this.#userDirectory(idOrName, (paths, id) => paths.imageRun(id));
  }

  async size(idOrName: string): Promise<number> {
    const { imageSize } = await import('./imageSize.ts');
    return await imageSize(this.#context, idOrName);
  }

  async setNames(idOrName: string, names: readonly string[]): Promise<NamesResult> {
    return await this.#rename(idOrName, () => names);
  }

  async addNames(idOrName: string, names: readonly string[]): Promise<NamesResult> {
    return await this.#rename(idOrName, (present) => withAddedNames(present, names));
  }

  async removeNames(idOrName: string, names: readonly string[]): Promise<NamesResult> {
    return await this.#rename(idOrName, (present) => withoutNames(present, names));
  }

  async delete(idOrName: string, options: DeleteImageOptions = {}): Promise<readonly string[]> {
    return await this.#context.change(() => deleteImage(this.#context, idOrName, options));
  }

  async #listWhere(matches: (image: ImageRecord) => boolean): Promise<readonly ImageInfo[]> {
    return await this.#context.images.read((view) => {
      const found = view.everywhere().filter(({ record }) => matches(record));
      return found.map(placedImageInfo);
    });
  }

  async #rename(idOrName: string, change: NamesChange): Promise<NamesResult> {
    const context = this.#context;
    return await this.#naming(() =>
      context.images.write(async (writer) => {
        const placed = locateImage(writer, idOrName);
        const { record, taken } = await renameImage({ context, writer, placed, change });
        return { image: imageInfo(record), taken };
      }),
    );
  }

  /** Runs a change by which images may get and lose names. */
  async #naming<T>(change: () => Promise<T>): Promise<T> {
    const context = this.#context;
    return await context.change(async () => {
      const result = await change();
      await followNames(context);
      return result;
    });
  }

  /** Always in the writable store, wherever the image is. */
  async #userDirectory(idOrName: string, of: (paths: StorePaths, id: string) => string): Promise<string> {
    const { images } = this.#context;
    return await this.#context.change(() =>
      images.read((view) => {
        const { id } = locateImage(view, idOrName).record;
        return makeUserDirectory(of(view.paths, id), `image ${id}`);
      }),
    );
  }
}
