import type { LayerInfo } from '@sediment/storage';
import type { BlobInfoCache } from '../blobInfoCache/blobInfoCache.ts';
import type { LayerSource } from '../sources/imageSource.ts';

interface UnpackedLayer {
  readonly source: LayerSource;
  readonly info: LayerInfo;
}

/**
 * Tells a cache what unpacking has found out about layers. Only what was read just now, to its last byte, counts:
 * records of the store may come from programs that noted what an image claimed.
 */
export function rememberLayers(cache: BlobInfoCache | undefined, unpacked: readonly UnpackedLayer[]): void {
  if (cache === undefined || unpacked.length === 0) return;
  cache.together(() => {
    for (const { source, info } of unpacked) {
      const { digest = source.diffID, diffID } = source;
      cache.recordPair(digest, diffID);
      cache.recordCompressor(digest, info.compression);
    }
  });
}
