import type { FileTransport, ImageDestination, OpenDestinationOptions } from './imageDestination.ts';

/** Where images are to be written. `path` may be `-` for an archive: standard output. */
export interface DestinationReference {
  readonly transport: FileTransport;
  readonly path: string;
}

type Open = (path: string, options: OpenDestinationOptions) => Promise<ImageDestination>;

/** Loaded when they are needed: an import into a store needs none. */
const OPENERS: Readonly<Record<FileTransport, () => Promise<Open>>> = {
  'docker-archive': async () => (await import('./dockerArchiveDestination.ts')).openDockerArchiveDestination,
  dir: async () => (await import('./openDirDestination.ts')).openDirDestination,
  oci: async () => (await import('./openOciLayoutDestination.ts')).openOciLayoutDestination,
  'oci-archive': async () => (await import('./openOciArchiveDestination.ts')).openOciArchiveDestination,
};

/**
 * Opens a place that images can be written to. Names are given with the images, so that of a reference does
 * not matter here. The caller closes the result, whether it was committed or not.
 *
 * - `docker-archive`, `oci-archive`: a file that does not exist or is empty (any, with `overwrite`); it
 *   appears at the commit. A FIFO, a device or standard output gets the bytes as they come.
 * - `oci`: a new or empty directory, or a layout, which gets the images besides those that it has.
 * - `dir`: a new or empty directory, or one with an image of this form, which is replaced at the commit.
 *
 * @throws {StorageError} `DESTINATION_EXISTS`, `DESTINATION_INVALID`, `DESTINATION_BUSY`,
 *   `PERMISSION_DENIED`, `NO_SPACE`, `IO`, `ABORTED`
 */
export async function openImageDestination(
  { transport, path }: DestinationReference,
  options: OpenDestinationOptions = {},
): Promise<ImageDestination> {
  const open = await OPENERS[transport]();
  return await open(path, options);
}
