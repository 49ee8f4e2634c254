import { type Digest, isStorageError, type Platform } from '@sediment/core';
import type { ImageInfo, Images } from '@sediment/storage';
import { identifyManifest } from '../documents/identifyManifest.ts';
import { readImageIndex } from '../documents/imageIndex.ts';
import { parseJson } from '../documents/parseDocument.ts';
import { chooseInstance } from '../platforms/chooseInstance.ts';
import { hostPlatform } from '../platforms/platform.ts';

/**
 * Of images that one digest names, the one for the platform. Several have the digest of a list if they were chosen
 * from it for different platforms; else the first will do.
 *
 * @throws {StorageError} `MANIFEST_INVALID`, `DIGEST_INVALID` where the list is damaged
 */
export async function preferPlatform(
  store: { readonly images: Pick<Images, 'bigData'> },
  images: readonly ImageInfo[],
  {
    digest,
    platform = hostPlatform(),
  }: { readonly digest: Digest; readonly platform?: Platform | undefined },
): Promise<ImageInfo | undefined> {
  const [first] = images;
  if (first === undefined || images.length === 1) return first;
  const chosen = await chosenInstance(store, first, { digest, platform });
  return images.find(({ digests }) => chosen !== undefined && digests.includes(chosen)) ?? first;
}

/** The digest of the manifest that the list has for the platform, if the digest is that of a list. */
async function chosenInstance(
  store: { readonly images: Pick<Images, 'bigData'> },
  { id, bigData }: ImageInfo,
  { digest, platform }: { readonly digest: Digest; readonly platform: Platform },
): Promise<Digest | undefined> {
  const key = `manifest-${digest}`;
  if (!bigData.some(({ name }) => name === key)) return undefined;
  const what = `${key} of image ${id}`;
  const document = {
    bytes: await store.images.bigData(id, key),
    what,
    path: key,
    code: 'MANIFEST_INVALID',
  } as const;
  const value = parseJson(document);
  const { kind, mediaType } = identifyManifest(value, '', document);
  if (kind !== 'index') return undefined;
  const manifests = readImageIndex(value, document);
  try {
    return chooseInstance({ manifests, platform, mediaType, what, path: key }).digest;
  } catch (error) {
    if (isStorageError(error, 'PLATFORM_NOT_FOUND')) return undefined;
    throw error;
  }
}
