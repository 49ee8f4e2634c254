import type { Digest } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';

/** A blob that a manifest names, or a manifest that an index names: the `dir` form has them in different places. */
export type BlobKind = 'blob' | 'instance';

/** Where the blobs of a source are, by digest: below a directory, inside an archive, or kept by a store. */
export interface BlobFiles {
  /** What the user knows the source as. */
  readonly location: string;
  /**
   * Where the bytes of a blob are; undefined if it is not there. A `Digest` has no path characters.
   *
   * @throws {StorageError} `ARCHIVE_INVALID` when it is there, but no regular file
   */
  find(digest: Digest, kind: BlobKind): Promise<BlobRange | undefined>;
  /** The path of a blob as a user can look it up. */
  describe(digest: Digest, kind: BlobKind): string;
  /** Simple signatures of the topmost manifest, or of an instance of it. */
  signatures(instance?: Digest): Promise<readonly Uint8Array[]>;
}
