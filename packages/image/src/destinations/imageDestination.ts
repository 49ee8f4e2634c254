import type { Digest } from '@sediment/core';
import type { OpenBytes } from '@sediment/storage';
import type { ImageDocument } from '../sources/imageSource.ts';

/** Where images can be written to as files. (A store is written to by an import.) */
export type FileTransport = 'docker-archive' | 'oci' | 'oci-archive' | 'dir';

/** What a destination can hold. */
export interface DestinationLimits {
  /** Media types of manifests, the preferred one first. */
  readonly manifestTypes: readonly string[];
  /** Whether it holds layers as they are, or uncompressed tars only (docker-archive). */
  readonly layers: 'any' | 'plain';
  /** Whether it holds indexes with their instances. */
  readonly indexes: boolean;
  readonly signatures: boolean;
  /** Names that an image can have there, and whether it can hold several images. */
  readonly names: 'many' | 'one' | 'none';
  readonly severalImages: boolean;
}

/**
 * An opened place that images are written to. Nothing is visible under its final name before `commit`
 * (in a layout: blobs are, but no image); closing it without that removes what was written.
 *
 * Order of calls: `putBlob` for all blobs of an image, `putInstance` for the manifests of an index, then
 * `putImage`; the same for further images; `commit`. Blobs may be put side by side.
 */
export interface ImageDestination extends AsyncDisposable {
  readonly transport: FileTransport;
  /** As the user gave it. */
  readonly location: string;
  readonly limits: DestinationLimits;
  /** The size of a blob that is there already, else undefined. Such a blob need not be put. */
  blobSize(digest: Digest): Promise<number | undefined>;
  /**
   * Writes a blob. A blob that was put before is not written again.
   *
   * @throws {StorageError} `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `NO_SPACE`, `IO`, `ABORTED`, and what the
   *   bytes throw
   */
  putBlob(blob: NewBlob): Promise<StoredBlob>;
  /** Writes a manifest (or index) that an index names. The blobs it names were put before. */
  putInstance(document: ImageDocument, signatures?: readonly Uint8Array[]): Promise<void>;
  /** Adds an image to what the destination lists. */
  putImage(image: NewImage): Promise<void>;
  /**
   * Makes all of it visible, at once.
   *
   * @throws {StorageError} `DESTINATION_EXISTS` if somebody else made it meanwhile, `NO_SPACE`, `IO`
   */
  commit(): Promise<void>;
  /** Lets go of files and locks; without `commit` before, removes what was written. May be called twice. */
  close(): Promise<void>;
}

export interface NewBlob {
  /** For messages, such as `layer 2 (sha256:…)`. */
  readonly what: string;
  /** A config is a document that the destination may want to look into. */
  readonly kind: 'config' | 'layer';
  /** Verified, if known. */
  readonly digest?: Digest;
  /** In bytes; verified, if known. */
  readonly size?: number;
  readonly open: OpenBytes;
  readonly signal?: AbortSignal;
}

export interface StoredBlob {
  readonly digest: Digest;
  readonly size: number;
}

export interface NewImage {
  /** A manifest of a type that the destination holds, or an index. */
  readonly document: ImageDocument;
  /** Names that the image gets there: complete references, or (oci) any name that the form allows. */
  readonly names: readonly string[];
  /** Further annotations of its entry in `index.json`. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly signatures?: readonly Uint8Array[];
}

export interface OpenDestinationOptions {
  /** Replace an archive that exists. */
  readonly overwrite?: boolean;
  /** For what must be staged; default: the directory of the destination. */
  readonly spoolDirectory?: string;
  readonly signal?: AbortSignal;
}
