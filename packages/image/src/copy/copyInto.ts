import { isStorageError, StorageError } from '@sediment/core';
import type { ImageDestination } from '../destinations/imageDestination.ts';
import type { ImageSource, SourceImage } from '../sources/imageSource.ts';
import type { CopiedImage } from './copyEvents.ts';
import { copyOne } from './copyOne.ts';
import type { CopyPlan } from './copyOptions.ts';
import { newSession, throwIfCopyAborted } from './copySession.ts';
import { destinationNames } from './destinationNames.ts';

/** An image that was chosen, and the names that were given for it. */
export interface ChosenImage {
  readonly image: SourceImage;
  /** If there are none it keeps those that it has. */
  readonly names: readonly string[];
}

export interface CopyIntoRequest {
  readonly source: ImageSource;
  readonly images: readonly ChosenImage[];
  readonly destination: ImageDestination;
  readonly plan: CopyPlan;
}

/**
 * Copies images into an opened destination and commits it. Artifacts among several images are left out, with a warning,
 * where they cannot be copied.
 *
 * @throws {StorageError} as `copyImage`; nothing is then visible
 */
export async function copyInto(request: CopyIntoRequest): Promise<readonly CopiedImage[]> {
  const { source, images, destination, plan } = request;
  if (images.length > 1 && !destination.limits.severalImages) throw severalImages(destination, images.length);
  const session = newSession(destination, plan, images.length);
  const copied: CopiedImage[] = [];
  for (const [position, { image, names: given }] of images.entries()) {
    const { location } = source;
    const names = destinationNames({ destination, given, own: image.names, location });
    try {
      copied.push(await copyOne(session, { source, image, names, position }));
    } catch (error) {
      const isLeftOut = images.length > 1 && isStorageError(error, 'ARTIFACT_UNSUPPORTED');
      const isNothingLeft = copied.length === 0 && position === images.length - 1;
      if (!isLeftOut || isNothingLeft) throw error;
      plan.onWarning?.({ code: 'ARTIFACT_SKIPPED', message: error.message, path: location });
    }
  }
  throwIfCopyAborted(plan.signal);
  plan.onProgress?.({ type: 'commit' });
  await destination.commit();
  return copied;
}

function severalImages({ transport, location }: ImageDestination, count: number): StorageError {
  return new StorageError(
    'INDEX_UNSUPPORTED',
    `copying multiple images: destination transport "${transport}" does not support copying multiple images as a group`,
    {
      path: location,
      actual: count,
      hint: 'copy them one by one, or to docker-archive, oci or oci-archive',
    },
  );
}
