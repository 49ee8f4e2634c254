import { type Digest, StorageError } from '@sediment/core';
import type { Store } from '@sediment/storage';
import { importOne } from '../import/importOne.ts';
import type { ImportPlan } from '../import/importOptions.ts';
import { normalizeName } from '../references/imageName.ts';
import { resolveStoreReference } from '../references/resolveStoreReference.ts';
import type { StoreReference } from '../references/storeReference.ts';
import type { ImageSource, SourceImage } from '../sources/imageSource.ts';
import type { CopiedImage } from './copyEvents.ts';
import type { CopyPlan } from './copyOptions.ts';
import { StoreProgress } from './storeProgress.ts';

export interface ToStoreRequest {
  readonly source: ImageSource;
  readonly image: SourceImage;
  readonly store: Store;
  readonly reference: StoreReference;
  readonly plan: CopyPlan;
}

/**
 * Imports an image under exactly the names that were given. A store keeps the manifest as it is, and unpacks layers: so
 * digests are always preserved, and no form can be asked for.
 *
 * @throws {StorageError} as `importImage`; `NOT_SUPPORTED`, `INDEX_UNSUPPORTED`; `DIGEST_MISMATCH` when the reference has a
 *   digest or an id that the image has not
 */
export async function copyToStore(request: ToStoreRequest): Promise<CopiedImage> {
  const { source, image, store, reference, plan } = request;
  await checkOptions(plan, image);
  const { name, id } = await resolveStoreReference(store, reference);
  const given = [...(name === undefined ? [] : [name]), ...plan.additionalNames.map(normalizeName)];
  const progress = new StoreProgress(plan.onProgress);
  const { digest } = reference;
  const imported = await importOne({
    store,
    source,
    image,
    plan: {
      ...importPlan(plan),
      names: [...new Set(given)],
      expect: { ...(digest === undefined ? {} : { digest }), ...(id === undefined ? {} : { id }) },
      onProgress: (event) => progress.report(event),
    },
    place: { image: 0, total: 1 },
  });
  return progress.finish(imported, given);
}

function importPlan(plan: CopyPlan): ImportPlan {
  const { platform, removeSignatures, blobInfoCache, onWarning, signal } = plan;
  return {
    ...(blobInfoCache === undefined ? {} : { blobInfoCache }),
    ...(platform === undefined ? {} : { platform }),
    ...(removeSignatures === undefined ? {} : { removeSignatures }),
    ...(onWarning === undefined ? {} : { onWarning }),
    ...(signal === undefined ? {} : { signal }),
  };
}

async function checkOptions(
  { format, compression, allPlatforms }: CopyPlan,
  image: SourceImage,
): Promise<void> {
  const option = format !== undefined ? 'format' : compression !== undefined ? 'compression' : undefined;
  if (option !== undefined) {
    throw new StorageError(
      'NOT_SUPPORTED',
      `containers-storage keeps manifests as they are and unpacks layers: it has no ${option} to choose`,
      { object: option, hint: `leave the ${option} out` },
    );
  }
  if (allPlatforms !== true || (await image.openIndex?.()) === undefined) return;
  throw new StorageError(
    'INDEX_UNSUPPORTED',
    'copying multiple images: destination transport "containers-storage" does not support copying multiple images as a group',
    {
      ...(image.digest === undefined ? {} : { object: image.digest satisfies Digest }),
      hint: 'choose one platform with --platform, or use "sediment import --keep-blobs --all-platforms"',
    },
  );
}
