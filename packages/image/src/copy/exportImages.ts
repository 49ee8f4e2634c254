import { StorageError } from '@sediment/core';
import type { Store } from '@sediment/storage';
import { openImageDestination } from '../destinations/openImageDestination.ts';
import { type FoundImage, findImageIn } from '../references/findImage.ts';
import { type ImageReference, parseImageReference } from '../references/imageReference.ts';
import type { SourceImage } from '../sources/imageSource.ts';
import { openStoreSource } from '../sources/store/openStoreSource.ts';
import type { CopiedImage } from './copyEvents.ts';
import { destinationOptions, givenName } from './copyImages.ts';
import { type ChosenImage, copyInto } from './copyInto.ts';
import { type CopyOptions, planCopy } from './copyOptions.ts';

/** The images are told by name or id, and each is of one platform. */
export type ExportOptions = Omit<CopyOptions, 'select' | 'platform'>;

/**
 * Writes one image of a store to a file or directory; see {@link exportImages}.
 *
 * @param image id, name, digest or unique id prefix
 */
export async function exportImage(
  store: Store,
  image: string,
  to: string | ImageReference,
  options: ExportOptions = {},
): Promise<CopiedImage> {
  const [copied] = await exportImages(store, [image], to, options);
  return copied as CopiedImage;
}

/**
 * Writes images of a store to a file or directory, all into one. An image that is given by a name has this name there, one
 * that is given by its id all its names, unless the reference of the destination or `additionalNames` say otherwise.
 *
 * Layers whose blobs the store has kept are copied byte for byte. The others are made anew from the files of the store, and
 * verified: a file that was changed ends the export. Under the policy `until-export` the store then forgets the blobs.
 *
 * @param images ids, names, digests or unique id prefixes; what means one image is one image with several names
 * @throws {StorageError} `IMAGE_UNKNOWN`; as `copyImage`. Nothing is then visible at the destination.
 * @throws {TypeError} if names are given for several images, or no image
 */
export async function exportImages(
  store: Store,
  images: readonly string[],
  to: string | ImageReference,
  options: ExportOptions = {},
): Promise<readonly CopiedImage[]> {
  const target = typeof to === 'string' ? parseImageReference(to, 'destination') : to;
  if (target.transport === 'containers-storage') throw notAFile();
  const plan = planCopy(options);
  const listed = await store.images.list();
  const found = joined(images.map((text) => findImageIn(listed, text)));
  if (found.length === 0) throw new TypeError('there is no image to export');
  const given = [...givenName(target), ...plan.additionalNames];
  if (given.length > 0 && found.length > 1) {
    throw new TypeError(`a name is for one image, but ${found.length} are exported`);
  }
  await using source = await openStoreSource(store, { images: found.map(({ image }) => image) });
  await using destination = await openImageDestination(target, destinationOptions(plan));
  const chosen = found.map(
    ({ names }, i): ChosenImage => ({
      image: source.images[i] as SourceImage,
      names: given.length > 0 ? given : names,
    }),
  );
  const copied = await copyInto({ source, images: chosen, destination, plan });
  for (const { image } of found) await store.blobs.exported(image.id);
  return copied;
}

interface ExportedImage extends Pick<FoundImage, 'image'> {
  /** By which it was asked for. */
  readonly names: readonly string[];
}

function joined(found: readonly FoundImage[]): readonly ExportedImage[] {
  const byId = new Map<string, ExportedImage>();
  for (const { image, name } of found) {
    const names = [...(byId.get(image.id)?.names ?? []), ...(name === undefined ? image.names : [name])];
    byId.set(image.id, { image, names: [...new Set(names)] });
  }
  return [...byId.values()];
}

function notAFile(): StorageError {
  return new StorageError(
    'NOT_SUPPORTED',
    'an export goes to a file or directory, not to containers-storage',
    {
      hint: 'copy the image with "sediment copy"',
    },
  );
}
