import type { Digest } from '@sediment/core';
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

/** Loads what it needs with the first call: few programs keep blobs. */
export class StoreBlobs implements Blobs {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async put(bytes: AsyncIterable<Uint8Array>, options?: PutBlobOptions): Promise<BlobInfo> {
    return await (await this.#context.keptBlobs()).put(bytes, options);
  }

  async get(digest: Digest): Promise<KeptBlob> {
    return await (await this.#context.keptBlobs()).get(digest);
  }

  async has(digest: Digest): Promise<boolean> {
    return await (await this.#context.keptBlobs()).has(digest);
  }

  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    return await (await this.#context.keptBlobs()).stat(digest);
  }

  async list(): Promise<readonly BlobInfo[]> {
    return await (await this.#context.keptBlobs()).list();
  }

  async delete(digest: Digest): Promise<void> {
    await (await this.#context.keptBlobs()).delete(digest);
  }

  async pin(digest: Digest): Promise<void> {
    await (await this.#context.keptBlobs()).pin(digest);
  }

  async unpin(digest: Digest): Promise<void> {
    await (await this.#context.keptBlobs()).unpin(digest);
  }

  async keepImage(request: KeepImageRequest): Promise<void> {
    await (await this.#context.keptBlobs()).keepImage(request);
  }

  async image(imageId: string): Promise<KeptImage | undefined> {
    return await (await this.#context.keptBlobs()).image(imageId);
  }

  async images(): Promise<readonly KeptImage[]> {
    return await (await this.#context.keptBlobs()).images();
  }

  async dropImage(imageId: string): Promise<DroppedBlobs> {
    return await (await this.#context.keptBlobs()).dropImage(imageId);
  }

  async policy(): Promise<KeepPolicy> {
    return await (await this.#context.keptBlobs()).policy();
  }

  async setPolicy(policy: KeepPolicy): Promise<void> {
    await (await this.#context.keptBlobs()).setPolicy(policy);
  }

  async usage(): Promise<BlobUsage> {
    return await (await this.#context.keptBlobs()).usage();
  }

  async collect(options?: { readonly graceMs?: number }): Promise<CollectedBlobs> {
    return await (await this.#context.keptBlobs()).collect(options);
  }

  async exported(imageId: string): Promise<void> {
    await (await this.#context.keptBlobs()).exported(imageId);
  }
}
