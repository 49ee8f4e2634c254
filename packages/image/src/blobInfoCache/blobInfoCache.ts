import type { Compression, Digest } from '@sediment/core';

/** A place that holds a blob, in the words of the transport that knows it. */
export interface BlobLocation {
  /** Of containers/image, such as `docker`. */
  readonly transport: string;
  /** Within which the location means something, such as the host of a registry. */
  readonly scope: string;
  readonly digest: Digest;
  /** Such as the repository. */
  readonly location: string;
}

/**
 * What is known about blobs of any image: which uncompressed digest a compressed one has, and how it was
 * compressed. Shared with other programs of the user, and with all stores.
 *
 * Whatever is asked, the answer may be that nothing is known. Only record what was found in the bytes
 * themselves, never what a manifest says: a wrong pair makes other programs take one layer for another.
 *
 * @see openBlobInfoCache
 */
export interface BlobInfoCache extends Disposable {
  /** The digest of the uncompressed bytes of a blob; the same digest, if it is known to be uncompressed. */
  uncompressedDigest(digest: Digest): Digest | undefined;
  recordPair(digest: Digest, uncompressed: Digest): void;
  /** How a blob is compressed. */
  compressor(digest: Digest): Compression | undefined;
  /** @param compression undefined to forget what is known */
  recordCompressor(digest: Digest, compression: Compression | undefined): void;
  /** @param seen when the blob was there; default: now */
  recordLocation(location: BlobLocation, seen?: Date): void;
  /** Records all that `record` records at once, which takes the time of one. */
  together(record: () => void): void;
  /** Lets go of the file. May be called twice; nothing is known or recorded afterwards. */
  close(): void;
}
