import type { WarningHandler } from '@sediment/core';
import type { BlobInfoCache } from './blobInfoCache.ts';
import { blobInfoCachePath } from './blobInfoCachePath.ts';
import { SqliteBlobInfoCache } from './sqliteBlobInfoCache.ts';

export interface OpenBlobInfoCacheOptions {
  /** The file; default: where current releases of podman, buildah and skopeo have theirs, see `blobInfoCachePath`. */
  readonly path?: string;
  /** Told once, with `BLOB_CACHE_OFF`, when the file cannot be used. */
  readonly onWarning?: WarningHandler;
}

/**
 * Opens the cache of what is known about blobs. Never fails: a file that cannot be used is as good as an empty one.
 * The file is opened when it is first asked, and made when there is something to record; its directory, too,
 * readable by this user only.
 *
 * The caller closes it.
 */
export function openBlobInfoCache(options: OpenBlobInfoCacheOptions = {}): BlobInfoCache {
  const { path = blobInfoCachePath(), onWarning = () => undefined } = options;
  return new SqliteBlobInfoCache(path, onWarning);
}
