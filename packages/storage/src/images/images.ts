import type { ImageRecord } from '../records/imageRecord.ts';
import { withAddedNames, withoutNames } from '../records/names.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import { deleteImage } from './deleteImage.ts';
import { findImage } from './findImage.ts';
import { type ImageInfo, imageInfo } from './imageInfo.ts';
import { readImageItem } from './imageItems.ts';
import { moveNames, type TakenName, withNames } from './imageNames.ts';
import { type PutImageRequest, type PutImageResult, putImage } from './putImage.ts';

export interface NamesResult {
  readonly image: ImageInfo;
  /** Names that other images lost. */
  readonly taken: readonly TakenName[];
}

/**
 * The images of a store. Names are taken as they are: callers normalise references. A name belongs to
 * one image; giving it to another takes it away from the first, and the result says so.
 */
export interface Images {
  /** All images, in the order of their records. */
  list(): Promise<readonly ImageInfo[]>;
  /**
   * By id, exact name or unique id prefix.
   * @throws {StorageError} `IMAGE_UNKNOWN`
   */
  get(idOrName: string): Promise<ImageInfo>;
  /**
   * A document kept with the image: `manifest`, `manifest-<digest>`, or the config under its digest.
   * @throws {StorageError} `IMAGE_UNKNOWN`, `BIG_DATA_UNKNOWN`
   */
  bigData(idOrName: string, key: string): Promise<Buffer>;
  /** Records an image, or adds to the one of that id; see {@link putImage}. */
  put(request: PutImageRequest): Promise<PutImageResult>;
  /** Replaces all names. */
  setNames(idOrName: string, names: readonly string[]): Promise<NamesResult>;
  /** Adds names in front of the present ones. */
  addNames(idOrName: string, names: readonly string[]): Promise<NamesResult>;
  /** Removes names; those that the image does not have are ignored. */
  removeNames(idOrName: string, names: readonly string[]): Promise<NamesResult>;
  /**
   * Deletes the image, all its names, and the layers that only it needs; returns their ids.
   * @throws {StorageError} `IMAGE_UNKNOWN`, `IMAGE_USED_BY_CONTAINER`
   */
  delete(idOrName: string): Promise<readonly string[]>;
}

export class StoreImages implements Images {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async list(): Promise<readonly ImageInfo[]> {
    return await this.#context.images.read((view) => view.all().map(imageInfo));
  }

  async get(idOrName: string): Promise<ImageInfo> {
    return await this.#context.images.read((view) => imageInfo(findImage(view, idOrName)));
  }

  async bigData(idOrName: string, key: string): Promise<Buffer> {
    return await this.#context.images.read((view) => {
      return readImageItem(this.#context.paths, findImage(view, idOrName).id, key);
    });
  }

  async put(request: PutImageRequest): Promise<PutImageResult> {
    return await this.#context.change(() => putImage(this.#context, request));
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

  async delete(idOrName: string): Promise<readonly string[]> {
    return await this.#context.change(() => deleteImage(this.#context, idOrName));
  }

  async #rename(
    idOrName: string,
    change: (present: readonly string[]) => readonly string[],
  ): Promise<NamesResult> {
    const context = this.#context;
    const rename = async (writer: TableWriter<ImageRecord>) => {
      const image = findImage(writer, idOrName);
      const next = withNames(image, change(image.names));
      const taken = moveNames(writer, next.names, image.id);
      const same = next.names.join('\n') === image.names.join('\n');
      if (!same || taken.length > 0) {
        writer.put(next);
        await writer.save();
      }
      return { image: imageInfo(next), taken };
    };
    return await context.change(() => context.images.write(rename));
  }
}
