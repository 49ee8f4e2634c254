import type { WarningHandler } from '@sediment/core';
import type { BlobInfoCache } from '@sediment/image';

/** `off`, or the file of the cache. */
const VARIABLE = 'SEDIMENT_BLOB_INFO_CACHE';

/**
 * The blob-info cache that a command shares with podman, buildah and skopeo, unless the environment names another
 * file or none. The caller closes it.
 */
export async function openCommandCache(onWarning: WarningHandler): Promise<BlobInfoCache | undefined> {
  const place = process.env[VARIABLE] ?? '';
  if (place === 'off') return undefined;
  const { openBlobInfoCache } = await import('@sediment/image');
  return openBlobInfoCache({ ...(place === '' ? {} : { path: place }), onWarning });
}
