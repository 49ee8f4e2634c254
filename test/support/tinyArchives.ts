import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveOf, dockerArchiveFiles, ociLayoutFiles } from './imageArchive.ts';
import type { StoreRoot } from './storeRoot.ts';
import { tinyImage } from './tinyImage.ts';

/** Writes the tiny image beside a store, in both forms of archive. */
export function writeTinyArchives(
  store: StoreRoot,
  name = 'localhost/tiny:1',
): { ociArchive: string; dockerArchive: string; name: string } {
  const image = tinyImage(name);
  const ociArchive = join(store.path, 'tiny.oci.tar');
  const dockerArchive = join(store.path, 'tiny.docker.tar');
  writeFileSync(ociArchive, archiveOf(ociLayoutFiles([image])));
  writeFileSync(dockerArchive, archiveOf(dockerArchiveFiles([image])));
  return { ociArchive, dockerArchive, name };
}
