import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, goJsonStringify } from '@sediment/core';
import { blobPath } from '../sources/blobPath.ts';
import { statOrMissing } from './archivePlace.ts';
import { type DestinationDirectory, openDestinationDirectory } from './destinationDirectory.ts';
import { destinationInvalid, onDestination } from './destinationError.ts';
import type { ImageDestination, OpenDestinationOptions } from './imageDestination.ts';
import { type LayoutIndex, listImage, newLayoutIndex, readLayoutIndex } from './layoutIndex.ts';
import { type ListedImage, OciDestination } from './ociDestination.ts';
import { INDEX_FILE, LAYOUT_CONTENT, LAYOUT_FILE } from './ociLayout.ts';
import { writeSyncedFile } from './stagedBlobs.ts';
import { syncDirectory } from './syncDirectory.ts';

/**
 * Writes images into a layout, a new one or beside those that it has. Several writers may do that at one
 * time; only their commits wait for each other.
 *
 * @throws {StorageError} `DESTINATION_INVALID`, `PERMISSION_DENIED`, `NO_SPACE`, `IO`, `ABORTED`
 */
export async function openOciLayoutDestination(
  location: string,
  { signal }: OpenDestinationOptions,
): Promise<ImageDestination> {
  const stop = signal === undefined ? {} : { signal };
  const directory = await openDestinationDirectory({
    location,
    check: (path, entries) => checkLayout(path, entries, location),
    ...stop,
  });
  const { blobs, path } = directory;
  return new OciDestination('oci', {
    location,
    blobSize: async (digest) => blobs.size(digest) ?? (await sizeInLayout(path, digest)),
    addBlob: (blob) => blobs.add(blob),
    commit: (images) => directory.withLock(() => commit(directory, images)),
    close: () => directory.close(),
  });
}

/** Unlike containers/image we do not write a layout into a directory of something else. */
async function checkLayout(path: string, entries: readonly string[], location: string): Promise<void> {
  if (entries.includes(INDEX_FILE)) await readIndex(path);
  else if (!entries.includes(LAYOUT_FILE)) {
    throw destinationInvalid(
      location,
      `${location} is not empty, and no OCI layout: it has no ${INDEX_FILE}`,
      'give a new or an empty directory, or an OCI layout',
    );
  }
}

async function sizeInLayout(path: string, digest: Digest): Promise<number | undefined> {
  const found = await statOrMissing(join(path, blobPath(digest)));
  return found?.isFile() === true ? found.size : undefined;
}

/** What `index.json` names is in place before it does. */
async function commit(directory: DestinationDirectory, images: readonly ListedImage[]): Promise<void> {
  const { path, blobs, location } = directory;
  const index = (await readIndex(path)) ?? newLayoutIndex();
  for (const { entry, names } of images) listImage(index, entry, names);
  if ((await statOrMissing(join(path, LAYOUT_FILE))) === undefined) {
    await replaceFile(directory, LAYOUT_FILE, LAYOUT_CONTENT);
  }
  await blobs.moveAll((digest) => join(path, blobPath(digest)));
  await replaceFile(directory, INDEX_FILE, Buffer.from(goJsonStringify(index)));
  await onDestination(`writing into ${location}`, location, () => syncDirectory(path));
}

async function readIndex(path: string): Promise<LayoutIndex | undefined> {
  const file = join(path, INDEX_FILE);
  if ((await statOrMissing(file)) === undefined) return undefined;
  return readLayoutIndex(await onDestination(`reading ${file}`, file, () => readFile(file)), file);
}

async function replaceFile(
  { path, staging, location }: DestinationDirectory,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = join(staging, name);
  await writeSyncedFile(temporary, location, async (file) => {
    await onDestination(`writing into ${location}`, location, () => file.writeFile(bytes));
  });
  await onDestination(`writing into ${location}`, location, () => rename(temporary, join(path, name)));
}
