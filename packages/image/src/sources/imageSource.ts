import type { Digest, Platform, WarningHandler } from '@sediment/core';
import type { BlobRange, OpenBytes } from '@sediment/storage';
import type { BlobInfoCache } from '../blobInfoCache/blobInfoCache.ts';
import type { ManifestDescriptor } from '../documents/imageIndex.ts';
import type { Transport } from '../references/transports.ts';

/**
 * An opened place that holds images: an archive, a layout, a store. Nothing is unpacked: blobs are byte
 * ranges of files, which stay valid until `close`; layers of a store are made again as they are read.
 *
 * @see openImageSource
 */
export interface ImageSource extends AsyncDisposable {
  readonly transport: Transport;
  /** As the user gave it. */
  readonly location: string;
  readonly images: readonly SourceImage[];
  /**
   * The name that podman gives to an image without one: that of the directory. Only for directories.
   */
  readonly fallbackName?: string;
  /** Frees descriptors and the temporary copy of a compressed archive. May be called twice. */
  close(): Promise<void>;
}

/** One image of a source, not yet read. */
export interface SourceImage {
  /**
   * Zero-based positions in the source, as in `@N`. Several where a layout lists one image under
   * several names.
   */
  readonly positions: readonly number[];
  /** As the source has them: RepoTags, or the annotated names of a layout. Not normalised. */
  readonly names: readonly string[];
  /** Further texts that choose this image, such as a bare tag. */
  readonly aliases: readonly string[];
  /** Of the manifest or index; absent in a docker-archive, which has neither. */
  readonly digest?: Digest;
  /** What else the source notes beside the image: in a layout the annotations of its entry, without its names. */
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * The platforms that can be asked for; several if the image is an index.
   * @throws {StorageError} as `open`
   */
  platforms(): Promise<readonly Platform[]>;
  /**
   * Reads manifest and config and finds the layers.
   *
   * @throws {StorageError} `PLATFORM_NOT_FOUND`, `BLOB_MISSING`, `DIGEST_INVALID`, `DIGEST_MISMATCH`,
   *   `SIZE_MISMATCH`, `MANIFEST_INVALID`, `IMAGE_CONFIG_INVALID`, `ARCHIVE_INVALID`,
   *   `ARTIFACT_UNSUPPORTED`, `DOCUMENT_TOO_LARGE`, `NOT_SUPPORTED`
   */
  open(options?: OpenImageOptions): Promise<OpenedImage>;
  /**
   * Reads the index, for a copy of all its platforms; undefined if the image is no index.
   *
   * @throws {StorageError} as `open`
   */
  openIndex?(options?: OpenImageOptions): Promise<OpenedIndex | undefined>;
  /**
   * Reads the manifest, without looking into it, for a copy of its bytes: of an artifact, or of Docker schema 1.
   * From an index it is that for the platform.
   *
   * @throws {StorageError} as `open`, but for `ARTIFACT_UNSUPPORTED`
   */
  openManifest?(options?: OpenImageOptions): Promise<OpenedManifest>;
}

export interface OpenImageOptions {
  /** Which image of an index; default {@link hostPlatform}. */
  readonly platform?: Platform;
  /** Asked for DiffIDs that the image does not tell; layers that it does not know are read once more. */
  readonly blobInfoCache?: BlobInfoCache;
  readonly onWarning?: WarningHandler;
  readonly signal?: AbortSignal;
}

/** A document with its identity. The bytes are exactly those of the source. */
export interface ImageDocument {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** A blob as it is in the source. Digest and size are claims, to be verified when the bytes are read. */
export interface SourceBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** Where the bytes lie, if they lie in a file as they are. */
  readonly range?: BlobRange;
  readonly open: OpenBytes;
}

/**
 * A manifest of an image or an artifact, with its blobs, not looked into: what a copy of bytes needs. All of the
 * blobs are there; a blob may be listed twice.
 */
export interface OpenedManifest {
  readonly document: ImageDocument;
  /** The config, if there is one, then the layers, base first. */
  readonly blobs: readonly SourceBlob[];
  /** Simple signatures, as they are. */
  readonly signatures: readonly Uint8Array[];
}

/** An index or manifest list. Its instances may be indexes again. */
export interface OpenedIndex {
  readonly document: ImageDocument;
  readonly signatures: readonly Uint8Array[];
  readonly instances: readonly IndexInstance[];
}

export interface IndexInstance {
  readonly descriptor: ManifestDescriptor;
  /** @throws {StorageError} `BLOB_MISSING`, where the source holds only some of the instances; else as `open` */
  open(): Promise<OpenedManifest | OpenedIndex>;
}

/** A layer and where its bytes are. Digest and size are claims, to be verified when the bytes are read. */
export interface LayerSource {
  readonly mediaType: string;
  /** Of the blob; absent in a docker-archive, which says only what the uncompressed tar must be. */
  readonly digest?: Digest;
  /** Of the blob, in bytes. */
  readonly size: number;
  /** Of the uncompressed tar. */
  readonly diffID: Digest;
  /** Length of the uncompressed tar in bytes, if known. */
  readonly diffSize?: number;
  /** Whether the source knows layers by DiffID only (docker-archive). */
  readonly addressedByDiffID: boolean;
  /** As the manifest has them. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Where the bytes lie, if they lie in a file as they are. */
  readonly blob?: BlobRange;
  readonly open: OpenBytes;
  /** The uncompressed tar made anew, where a store can do so besides giving the blob: for a blob that is damaged. */
  readonly rebuild?: OpenBytes;
}

/** One image of one platform. Layers are in order, base first. */
export interface OpenedImage {
  /** Its digest is the id of the image. */
  readonly config: ImageDocument;
  /** Whether the config was made of a manifest of schema 1, which has none: a store does not keep it. */
  readonly configIsMade?: boolean;
  /** From the config, RFC 3339. */
  readonly created?: string;
  /** From the config. */
  readonly platform?: Platform;
  readonly layers: readonly LayerSource[];
  /** Empty layers that a manifest of schema 1 names for steps that changed no file; a store has none for them. */
  readonly throwaways?: readonly SourceBlob[];
  /** The index or list that the image was chosen from. */
  readonly index?: ImageDocument;
  /** Simple signatures of the manifest, as they are. */
  readonly signatures: readonly Uint8Array[];
  /**
   * The manifest. A docker-archive has none: it is made from the lengths of the uncompressed layers.
   *
   * @param diffSizes lengths in bytes, as known from unpacking; those that are missing are measured,
   *   which reads the layers once more
   */
  manifest(diffSizes?: readonly (number | undefined)[]): Promise<ImageDocument>;
}
