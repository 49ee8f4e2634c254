import type { BlobRange } from '@sediment/storage';
import type { BlobFiles } from './blobFiles.ts';
import { blobPath } from './blobPath.ts';

/**
 * The files of an OCI layout, wherever they are: below a directory, or inside an archive. What is
 * done with them does not depend on it.
 */
export interface LayoutFiles {
  readonly transport: 'oci' | 'oci-archive';
  /** As the user gave it. */
  readonly location: string;
  /**
   * Where the bytes of a file of the layout are; undefined if there is no such file.
   *
   * @param path below the layout, such as `blobs/sha256/…`; never with `..`
   * @throws {StorageError} `ARCHIVE_INVALID` when it is there, but no regular file
   */
  find(path: string): Promise<BlobRange | undefined>;
  /** A path of the layout as a user can look it up. */
  describe(path: string): string;
  close(): Promise<void>;
}

/** A layout has all blobs in one place, and no signatures. */
export function layoutBlobs({ location, find, describe }: LayoutFiles): BlobFiles {
  return {
    location,
    find: (digest) => find(blobPath(digest)),
    describe: (digest) => describe(blobPath(digest)),
    signatures: async () => [],
  };
}
