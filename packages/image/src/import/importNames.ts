import { StorageError } from '@sediment/core';
import { normalizeLocalName } from '../references/imageName.ts';
import type { ImageSource, SourceImage } from '../sources/imageSource.ts';

/**
 * The names that an image gets when none were given: those that the source has for it, completed by
 * podman's rule; the directory's name for the only image of a layout; else none. The last one comes
 * first: podman load adds them one after the other, each in front of the others.
 *
 * @throws {StorageError} `REFERENCE_INVALID` when the source has a name that no image can have
 */
export function namesFromSource(source: ImageSource, image: SourceImage): readonly string[] {
  const { fallbackName, images, location } = source;
  if (image.names.length > 0) return uniqueNames(image.names, `the name in ${location}`);
  if (fallbackName === undefined || images.length > 1) return [];
  return uniqueNames([fallbackName], `the directory ${location}, whose image has no name of its own`);
}

function uniqueNames(names: readonly string[], origin: string): readonly string[] {
  return [...new Set(names.map((name) => normalizeFrom(name, origin)))].reverse();
}

function normalizeFrom(name: string, origin: string): string {
  try {
    return normalizeLocalName(name);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'REFERENCE_INVALID') throw error;
    throw new StorageError(error.code, `${origin}: ${error.message}`, {
      ...error.facts,
      cause: error,
      hint: 'give the image a name of your own with --name',
    });
  }
}
