import { digestAlgorithm, goJsonStringify } from '@sediment/core';
import { blobPath } from '../sources/blobPath.ts';
import type { ImageDestination, NewBlob, OpenDestinationOptions, StoredBlob } from './imageDestination.ts';
import { listImage, newLayoutIndex } from './layoutIndex.ts';
import { OciDestination } from './ociDestination.ts';
import { INDEX_FILE, LAYOUT_CONTENT, LAYOUT_FILE } from './ociLayout.ts';
import { openArchiveOutput } from './openArchiveOutput.ts';
import { TarWriter } from './tarWriter.ts';

const MODE = 0o644;
const DIRECTORY_MODE = 0o755;

/**
 * Writes a layout as an archive, in the order of containers/image: directories, blobs, the index. (Blobs
 * are in the order in which they are put, and not sorted, as they are not gathered before.)
 *
 * @throws {StorageError} as `openArchiveOutput`
 */
export async function openOciArchiveDestination(
  location: string,
  options: OpenDestinationOptions,
): Promise<ImageDestination> {
  const refusal = "oci-archive doesn't support modifying existing images";
  const output = await openArchiveOutput(location, refusal, options);
  const tar = new TarWriter(output, { mode: MODE, nameOf: blobPath });
  const made = new Set<string>();
  /** Entries are queued in the order of the calls, so nothing is awaited in between. */
  const addWithDirectories = async (blob: NewBlob): Promise<StoredBlob> => {
    const algorithm = blob.digest === undefined ? 'sha256' : digestAlgorithm(blob.digest);
    const missing = ['blobs/', `blobs/${algorithm}/`].filter((name) => !made.has(name));
    const directories = missing.map((name) => tar.add({ name, mode: DIRECTORY_MODE }));
    for (const name of missing) made.add(name);
    const [stored] = await Promise.all([tar.addBlob(blob), ...directories]);
    return stored;
  };
  return new OciDestination('oci-archive', {
    location,
    blobSize: async (digest) => tar.blobSize(digest),
    addBlob: addWithDirectories,
    async commit(images) {
      const index = newLayoutIndex();
      for (const { entry, names } of images) listImage(index, entry, names);
      await tar.add({ name: INDEX_FILE, mode: MODE, bytes: Buffer.from(goJsonStringify(index)) });
      await tar.add({ name: LAYOUT_FILE, mode: MODE, bytes: LAYOUT_CONTENT });
      await tar.end();
      await output.commit();
    },
    close: () => output.close(),
  });
}
