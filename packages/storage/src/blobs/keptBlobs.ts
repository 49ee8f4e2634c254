import { type Digest, isStorageError, StorageError } from '@sediment/core';
import { endingSource } from '../layers/endingSource.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type {
  BlobInfo,
  Blobs,
  BlobUsage,
  CollectedBlobs,
  DroppedBlobs,
  KeepImageRequest,
  KeepPolicy,
  KeptBlob,
  KeptImage,
  PutBlobOptions,
} from './blobs.ts';
import { collectBlobs } from './collectBlobs.ts';
import { deleteUnneeded, dropImages, summaryOf } from './dropBlobs.ts';
import { warnInstead } from './followStore.ts';
import { describeImage } from './imageBlobs.ts';
import { imageNames, withStoreNames } from './imageNames.ts';
import { keepImage } from './keepImage.ts';
import { readKeepPolicy, writeKeepPolicy } from './keepPolicy.ts';
import { type KeptSession, KeptStore } from './keptStore.ts';
import { type LayoutImage, readLayoutIndex } from './layoutIndex.ts';
import { blobInfo, listFromIndex, listFromLayout, pinnedBlobs } from './listBlobs.ts';
import { openKeptBlob } from './openKeptBlob.ts';
import { Pins } from './pins.ts';
import { putBlob } from './putBlob.ts';

const NOTHING: DroppedBlobs = { blobs: 0, bytes: 0 };

/** The kept blobs of an open store, loaded with the first use. */
export class KeptBlobs implements Blobs {
  readonly store: KeptStore;
  readonly #context: StoreContext;
  readonly #pins: Pins;

  constructor(context: StoreContext) {
    this.store = new KeptStore(context);
    this.#context = context;
    this.#pins = new Pins(context.paths.blobPins);
  }

  close(): void {
    this.store.close();
  }

  async put(bytes: AsyncIterable<Uint8Array>, options: PutBlobOptions = {}): Promise<BlobInfo> {
    const put = async () => {
      const { digest, size, time } = await putBlob(this.store, bytes, options);
      return await this.store.change((session) => {
        const { mediaType } = options;
        const at = Math.floor(time);
        session.index.put({ digest, size, mediaType, created: at, lastUsed: at });
        return this.#infoOf(session, digest) as BlobInfo;
      });
    };
    return await endingSource(bytes, () => this.#context.change(put));
  }

  async get(digest: Digest): Promise<KeptBlob> {
    const file = this.store.files.find(digest);
    if (file === undefined) throw unknownBlob(digest);
    return openKeptBlob(file);
  }

  async has(digest: Digest): Promise<boolean> {
    return this.store.files.find(digest) !== undefined;
  }

  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    if (!(await this.has(digest))) return undefined;
    if (this.#isSnapshot) return (await this.list()).find((blob) => blob.digest === digest);
    return await this.#change((session) => this.#infoOf(session, digest));
  }

  async list(): Promise<readonly BlobInfo[]> {
    const { files } = this.store;
    if (!files.exists) return [];
    const pins = this.#pins.all();
    if (this.#isSnapshot) return listFromLayout(files, await this.#layoutImages(), pins);
    return await this.#change(({ index, layout }) => listFromIndex(files, index, { layout, pins }));
  }

  async delete(digest: Digest): Promise<void> {
    await this.#context.change(async () => {
      if (!(await this.has(digest))) throw unknownBlob(digest);
      await this.store.change((session) => {
        const usedBy = session.index.ownersOf(digest);
        if (usedBy.length > 0 || this.#pins.has(digest)) throw blobInUse(digest, usedBy);
        const { digests } = deleteUnneeded(
          this.store,
          session,
          new Map([[digest, Number.POSITIVE_INFINITY]]),
        );
        if (digests.length === 0) throw blobInUse(digest, []);
      });
    });
  }

  async pin(digest: Digest): Promise<void> {
    await this.#context.change(async () => {
      if (!this.store.files.exists) throw unknownBlob(digest);
      await this.store.alone(async () => {
        if (!(await this.has(digest))) throw unknownBlob(digest);
        this.#pins.add(digest);
      });
    });
  }

  async unpin(digest: Digest): Promise<void> {
    await this.#context.change(async () => this.#pins.remove(digest));
  }

  async keepImage(request: KeepImageRequest): Promise<void> {
    await this.#context.change(() => keepImage(this.store, request));
  }

  async image(imageId: string): Promise<KeptImage | undefined> {
    const image = (await this.#layoutImages()).find((each) => each.imageId === imageId);
    return image === undefined ? undefined : describeImage(this.store.files, image);
  }

  async images(): Promise<readonly KeptImage[]> {
    return (await this.#layoutImages()).map((image) => describeImage(this.store.files, image));
  }

  async dropImage(imageId: string): Promise<DroppedBlobs> {
    return await this.dropImages([imageId]);
  }

  async dropImages(ids: readonly string[]): Promise<DroppedBlobs> {
    return await this.#context.change(async () => {
      if (!this.store.files.exists) return NOTHING;
      return await this.store.change((session) => summaryOf(dropImages(this.store, session, ids)));
    });
  }

  /** Gives the images in the layout the names that they have in the store. */
  async followNames(): Promise<void> {
    await this.#context.change(async () => {
      await this.store.changeLayout(async (layout) =>
        withStoreNames(layout, await imageNames(this.#context)),
      );
    });
  }

  async policy(): Promise<KeepPolicy> {
    return readKeepPolicy(this.#context.paths.settings);
  }

  async setPolicy(policy: KeepPolicy): Promise<void> {
    await this.#context.change(() => writeKeepPolicy(this.store, policy));
  }

  async usage(): Promise<BlobUsage> {
    const { files } = this.store;
    const there = files.list();
    const pinned = pinnedBlobs(files, await this.#layoutImages(), this.#pins.all());
    return {
      blobs: there.length,
      bytes: there.reduce((sum, { size }) => sum + size, 0),
      pinned: there.filter(({ digest }) => pinned.has(digest)).length,
    };
  }

  async collect({ graceMs }: { readonly graceMs?: number } = {}): Promise<CollectedBlobs> {
    return await this.#context.change(async () => {
      if (!this.store.files.exists) return { blobs: [], bytes: 0, images: [] };
      return await collectBlobs(this.store, graceMs);
    });
  }

  async exported(imageId: string): Promise<void> {
    if (this.#isSnapshot || !this.store.files.exists) return;
    await warnInstead(this.#context.onWarning, 'the use of kept blobs is not noted', () =>
      this.#use(imageId),
    );
  }

  async #use(imageId: string): Promise<void> {
    await this.#change((session) => {
      const image = session.layout.images.find((each) => each.imageId === imageId);
      if (image === undefined) return;
      const drops = readKeepPolicy(this.#context.paths.settings) === 'until-export' && !image.pinned;
      if (drops) dropImages(this.store, session, [imageId]);
      else session.index.change(() => session.index.touch(imageId, Date.now()));
    });
  }

  get #isSnapshot(): boolean {
    return this.#context.access === 'snapshot';
  }

  async #change<T>(fn: (session: KeptSession) => T): Promise<T> {
    return await this.#context.change(() => this.store.change(fn));
  }

  /** As they are; a list that is lost or damaged is made anew, where that is possible. */
  async #layoutImages(): Promise<readonly LayoutImage[]> {
    const { files } = this.store;
    if (!files.exists) return [];
    try {
      return readLayoutIndex(files.indexPath).images;
    } catch (error) {
      if (this.#isSnapshot || !isStorageError(error, 'KEPT_INDEX_INVALID')) throw error;
    }
    await this.#context.change(() => this.store.changeLayout((layout) => layout));
    return readLayoutIndex(files.indexPath).images;
  }

  #infoOf({ index, layout }: KeptSession, digest: Digest): BlobInfo | undefined {
    const { files } = this.store;
    const file = files.find(digest);
    if (file === undefined) return undefined;
    const pinned =
      this.#pins.has(digest) ||
      layout.images.some((image) => image.pinned && index.ownersOf(digest).includes(image.imageId));
    return blobInfo(file, { row: index.blob(digest), images: index.ownersOf(digest), pinned });
  }
}

function unknownBlob(digest: Digest): StorageError {
  return new StorageError('BLOB_UNKNOWN', `blob ${digest} is not kept in this store`, {
    object: digest,
    hint: 'list the kept blobs with "sediment blobs"',
  });
}

function blobInUse(digest: Digest, usedBy: readonly string[]): StorageError {
  const reason =
    usedBy.length > 0
      ? `it belongs to image ${usedBy.join(', ')}`
      : 'it is pinned, or another program listed it';
  return new StorageError('BLOB_IN_USE', `blob ${digest} cannot be deleted: ${reason}`, {
    object: digest,
    usedBy,
    hint: 'drop the image from the kept ones, or unpin the blob',
  });
}
