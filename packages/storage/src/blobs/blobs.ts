import type { Compression, Digest } from '@sediment/core';
import type { BlobRange, OpenBytes } from '../unpack/unpackJob.ts';

/**
 * Which blobs a store keeps: `none` but those that are asked for; `all` of every import; `pinned`: those that
 * are asked for, and garbage collection takes all others away; `until-export`: of every import, until the image is
 * exported.
 */
export type KeepPolicy = 'none' | 'all' | 'pinned' | 'until-export';

export const KEEP_POLICIES: readonly KeepPolicy[] = ['none', 'all', 'pinned', 'until-export'];

/** A kept blob as it was when asked for. Sizes are in bytes, times in RFC 3339. */
export interface BlobInfo {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType?: string;
  /** Of a layer: digest and size of its uncompressed tar. */
  readonly diffID?: Digest;
  readonly diffSize?: number;
  /** Of a layer. */
  readonly compression?: Compression;
  /** Ids of the images that own it. */
  readonly images: readonly string[];
  /** Whether it is pinned itself, or owned by a pinned image. */
  readonly pinned: boolean;
  readonly created: string;
  /** When it was last put, kept for an image, or exported. */
  readonly lastUsed: string;
}

export interface PutBlobOptions {
  /** What the bytes must have; without it they get their sha256. */
  readonly digest?: Digest;
  readonly size?: number;
  readonly mediaType?: string;
  readonly signal?: AbortSignal;
}

/** Where the bytes of a kept blob are. */
export interface KeptBlob {
  readonly digest: Digest;
  readonly size: number;
  /** The whole file. Who reads it verifies the digest. */
  readonly range: BlobRange;
  /** The bytes; they end with `DIGEST_MISMATCH` or `SIZE_MISMATCH` if they are not the right ones any more. */
  readonly open: OpenBytes;
}

/** A manifest, index or config. */
export interface KeptDocument {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** A layer that was put before. */
export interface KeptLayerRequest {
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  readonly diffID?: Digest;
  readonly diffSize?: number;
  readonly compression?: Compression;
}

export interface KeepImageRequest {
  /** Of an image in the store, whose names the layout takes over. */
  readonly imageId: string;
  readonly manifest: KeptDocument;
  readonly config: KeptDocument;
  /** Base first. */
  readonly layers: readonly KeptLayerRequest[];
  /** The index or list that the image was chosen from. */
  readonly index?: KeptDocument;
  /** Manifests (and nested indexes) of the other platforms in `index`; the blobs that they name were put before. */
  readonly instances?: readonly KeptDocument[];
  /** Of the image's entry in the `index.json` that it came from; names among them are left out. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Spared by the policy `pinned`, under which it is the default. */
  readonly pinned?: boolean;
}

export interface KeptDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** An image whose blobs are kept, as the layout has it. */
export interface KeptImage {
  readonly imageId: string;
  /** As in the layout; they follow those of the store. */
  readonly names: readonly string[];
  readonly manifest: KeptDescriptor;
  /** Absent if the manifest is lost or damaged. */
  readonly config?: KeptDescriptor;
  /** Base first. */
  readonly layers: readonly (KeptDescriptor & { readonly diffID?: Digest })[];
  readonly index?: KeptDescriptor;
  /** Whether all platforms of the index are kept. */
  readonly allPlatforms: boolean;
  readonly annotations: Readonly<Record<string, string>>;
  readonly pinned: boolean;
  /** Whether manifest, config and all layers are there, with the right sizes. */
  readonly complete: boolean;
}

/** What was deleted; `bytes` on disk. */
export interface DroppedBlobs {
  readonly blobs: number;
  readonly bytes: number;
}

export interface CollectedBlobs {
  readonly blobs: readonly Digest[];
  readonly bytes: number;
  /** Images of which nothing is kept any more. */
  readonly images: readonly string[];
}

export interface BlobUsage {
  readonly blobs: number;
  readonly bytes: number;
  /** How many of the blobs are pinned, themselves or with an image. */
  readonly pinned: number;
}

/**
 * The blobs that a store keeps as they came: compressed layers, configs, manifests and indexes. They lie in an
 * OCI image layout, `sediment/oci` in the graph root, which is valid at every moment and can be read by other
 * programs. Blobs belong to images and go with them, unless they are pinned.
 *
 * Reading what is there needs the layout alone; all that changes something, and `stat` and `list` of a shared store,
 * need better-sqlite3.
 *
 * All methods may throw a {@link StorageError}: `KEPT_INDEX_INVALID` (of a newer program), `NATIVE_UNAVAILABLE`,
 * `IO`, `PERMISSION_DENIED`; those that write also `NO_SPACE`, `STORE_READ_ONLY`, `STORE_CLOSED`, `LOCK_FAILED`.
 */
export interface Blobs {
  /**
   * Keeps a blob. It belongs to nobody until {@link keepImage} or {@link pin}, and is collected after an hour. Several
   * writers of one digest, also in several processes, write it once: the others wait and their bytes are not read.
   *
   * @throws {StorageError} `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `ABORTED`; what `bytes` throws
   */
  put(bytes: AsyncIterable<Uint8Array>, options?: PutBlobOptions): Promise<BlobInfo>;
  /** @throws {StorageError} `BLOB_UNKNOWN` */
  get(digest: Digest): Promise<KeptBlob>;
  has(digest: Digest): Promise<boolean>;
  stat(digest: Digest): Promise<BlobInfo | undefined>;
  list(): Promise<readonly BlobInfo[]>;
  /** @throws {StorageError} `BLOB_UNKNOWN`; `BLOB_IN_USE` if it is pinned or owned by an image */
  delete(digest: Digest): Promise<void>;
  /** Keeps a blob whatever becomes of its images. @throws {StorageError} `BLOB_UNKNOWN` */
  pin(digest: Digest): Promise<void>;
  /** Takes {@link pin} back; fine if it was not pinned. */
  unpin(digest: Digest): Promise<void>;
  /**
   * Makes an image of the store the owner of blobs that were put, and lists it in the layout. What was kept for the
   * same image before is replaced.
   *
   * @throws {StorageError} `IMAGE_UNKNOWN`; `BLOB_UNKNOWN` if a layer was not put, or was collected meanwhile: put
   *   it again; `DIGEST_MISMATCH` of a document; `NOT_SUPPORTED` for a schema 1 manifest, which no layout can hold
   */
  keepImage(request: KeepImageRequest): Promise<void>;
  /** What is kept for an image, by its full id. */
  image(imageId: string): Promise<KeptImage | undefined>;
  images(): Promise<readonly KeptImage[]>;
  /** Forgets what is kept for an image, and deletes the blobs that neither another image owns nor a pin keeps. */
  dropImage(imageId: string): Promise<DroppedBlobs>;
  policy(): Promise<KeepPolicy>;
  setPolicy(policy: KeepPolicy): Promise<void>;
  usage(): Promise<BlobUsage>;
  /**
   * Deletes what is kept for images that are no more, blobs that belong to nobody, and what interrupted programs left.
   *
   * @param options.graceMs age at which a blob without owner counts as abandoned; default an hour
   */
  collect(options?: { readonly graceMs?: number }): Promise<CollectedBlobs>;
  /** To be told after an export: notes the use, and under the policy `until-export` drops the image unless it is pinned. */
  exported(imageId: string): Promise<void>;
}
