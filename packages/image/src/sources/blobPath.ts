import { type Digest, digestAlgorithm, digestHex } from '@sediment/core';

/** Where a layout keeps a blob (OCI image-spec, `image-layout.md`). A `Digest` has no path characters. */
export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
