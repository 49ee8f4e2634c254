import { isStorageError, StorageError } from '@sediment/core';
import type { DestinationLimits, FileTransport } from '../destinations/imageDestination.ts';
import { normalizeName } from '../references/imageName.ts';

export interface NamesRequest {
  readonly destination: { readonly transport: FileTransport; readonly limits: DestinationLimits };
  /** Names that were given for the image; if there are none it keeps those that it has. */
  readonly given: readonly string[];
  /** Names that it has in the source. */
  readonly own: readonly string[];
  /** The source, for messages. */
  readonly location: string;
}

/**
 * The names that an image gets at the destination: complete ones in a docker-archive, in a layout any.
 *
 * @throws {StorageError} `REFERENCE_INVALID`
 */
export function destinationNames({ destination, given, own, location }: NamesRequest): readonly string[] {
  const { limits, transport } = destination;
  if (limits.names === 'none') return [];
  const names = given.length > 0 ? given : own;
  const isArchive = transport === 'docker-archive';
  const unique = [...new Set(isArchive ? tags(names, given, location) : names)];
  return limits.names === 'one' ? unique.slice(0, 1) : unique;
}

/** An image that was pulled by digest has a name with that digest, which is no tag. */
function tags(names: readonly string[], given: readonly string[], location: string): readonly string[] {
  const tagged = names === given ? names : names.filter((name) => !name.includes('@'));
  return tagged.map((name) => completeName(name, location));
}

/** Docker's rule holds, as it does for those who read the archive. */
function completeName(name: string, location: string): string {
  try {
    return normalizeName(name);
  } catch (error) {
    if (!isStorageError(error, 'REFERENCE_INVALID')) throw error;
    throw new StorageError(error.code, `the name of an image of ${location}: ${error.message}`, {
      ...error.facts,
      cause: error,
      hint: 'give the image a name in the reference of the destination',
    });
  }
}
