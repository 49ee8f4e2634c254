import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '@sediment/core';
import type { TarArchive } from '../archives/tarArchive.ts';
import type { TarIndex } from '../archives/tarIndex.ts';

/**
 * Which of the two directory forms it is.
 *
 * @throws {StorageError} `SOURCE_UNRECOGNIZED`
 */
export function recognizeDirectory(path: string): 'oci' | 'dir' {
  if (existsSync(join(path, 'index.json'))) return 'oci';
  if (existsSync(join(path, 'manifest.json'))) return 'dir';
  throw unrecognized(path, 'give the directory that holds index.json and blobs, or manifest.json', [
    ['oci', `${join(path, 'index.json')}: no such file`],
    ['oci-archive', 'it is a directory'],
    ['docker-archive', 'it is a directory'],
    ['dir', `${join(path, 'manifest.json')}: no such file`],
  ]);
}

/**
 * Which of the two archive forms it is. `docker save` since release 25 writes both into one file; it
 * is then read as OCI, as podman does.
 *
 * @throws {StorageError} `SOURCE_UNRECOGNIZED`
 */
export function recognizeArchive({ location, index }: TarArchive): 'oci-archive' | 'docker-archive' {
  const has = (path: string) => index.find(path, 'first') !== undefined;
  if (has('index.json')) return 'oci-archive';
  // The form before Docker 1.10 has `repositories` only, and gets its own error.
  if (has('manifest.json') || has('repositories')) return 'docker-archive';
  const folder = folderOfLayout(index);
  const hint =
    folder === undefined
      ? 'it may be the root file system of a container, which is not an image'
      : `its content lies in the folder ${folder}: pack it again from inside, with "tar -C ${folder} -cf image.tar ."`;
  throw unrecognized(location, hint, [
    ['oci', 'it is not a directory'],
    ['oci-archive', 'index.json: no such file in the archive'],
    ['docker-archive', 'manifest.json: no such file in the archive'],
    ['dir', 'it is not a directory'],
  ]);
}

/** The common mistake of packing the directory and not what is in it. */
function folderOfLayout({ entries }: TarIndex): string | undefined {
  const found = entries.find(({ path }) => /^[^/]+\/(?:index|manifest)\.json$/.test(path));
  return found?.path.slice(0, found.path.indexOf('/'));
}

function unrecognized(
  path: string,
  hint: string,
  reasons: readonly (readonly [string, string])[],
): StorageError {
  const lines = reasons.map(([form, reason]) => `\n * ${form}: ${reason}`);
  return new StorageError(
    'SOURCE_UNRECOGNIZED',
    `${path} does not match any of the supported image formats:${lines.join('')}`,
    { path, hint },
  );
}
