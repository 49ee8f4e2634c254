import type { BlobFiles } from './blobFiles.ts';
import type { SourceImage } from './imageSource.ts';
import type { ManifestText } from './manifestText.ts';
import { chooseManifest, manifestPlatforms, openManifestImage } from './openManifestImage.ts';
import { openIndex, openManifest } from './openWhole.ts';

/** What can be done with an image that a manifest or index stands for, wherever its blobs are. */
export type ManifestImage = Required<Pick<SourceImage, 'platforms' | 'open' | 'openIndex' | 'openManifest'>>;

/** @param readTop reads the manifest or index, with its signatures */
export function manifestImage(files: BlobFiles, readTop: () => Promise<ManifestText>): ManifestImage {
  return {
    platforms: async () => await manifestPlatforms(files, await readTop()),
    open: async (options = {}) => await openManifestImage(files, await readTop(), options),
    openIndex: async () => {
      const top = await readTop();
      return top.kind === 'index' ? openIndex(files, top) : undefined;
    },
    openManifest: async ({ platform } = {}) =>
      await openManifest(files, await chooseManifest(files, await readTop(), platform)),
  };
}
