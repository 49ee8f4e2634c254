import { StorageError } from '@sediment/core';
import { readDocumentBytes } from '../archives/fileBytes.ts';
import type { TarArchive } from '../archives/tarArchive.ts';
import { type DockerArchiveItem, readDockerArchiveIndex } from '../documents/dockerArchiveIndex.ts';
import { DOCKER_INDEX_LIMIT } from '../documents/limits.ts';
import type { ImageSource } from './imageSource.ts';
import { openDockerArchiveImage } from './openDockerArchiveImage.ts';

const INDEX_FILE = 'manifest.json';

/**
 * Reads the index of a docker-archive, as made by `docker save`, `podman save` and skopeo. Takes over
 * `archive`: closing the source closes it.
 *
 * @throws {StorageError} `SOURCE_UNRECOGNIZED` without a `manifest.json`; `ARCHIVE_INVALID`,
 *   `DOCUMENT_TOO_LARGE`
 */
export async function openDockerArchive(archive: TarArchive): Promise<ImageSource> {
  const items = await readItems(archive);
  return {
    transport: 'docker-archive',
    location: archive.location,
    images: items.map((item, position) => {
      const open = (signal?: AbortSignal) => openDockerArchiveImage({ archive, item, position, signal });
      return {
        positions: [position],
        names: [...new Set(item.repoTags)],
        aliases: [],
        platforms: async () => {
          const { platform } = await open();
          return platform === undefined ? [] : [platform];
        },
        open: ({ signal } = {}) => open(signal),
      };
    }),
    close: () => archive.close(),
    [Symbol.asyncDispose]: () => archive.close(),
  };
}

async function readItems(archive: TarArchive): Promise<readonly DockerArchiveItem[]> {
  const { location } = archive;
  const blob = archive.range(INDEX_FILE, 'first');
  if (blob === undefined) throw withoutIndex(archive);
  const what = `${location}(${INDEX_FILE})`;
  const bytes = await readDocumentBytes({ blob, limit: DOCKER_INDEX_LIMIT, what, path: location });
  return readDockerArchiveIndex({ bytes, what, path: location, code: 'ARCHIVE_INVALID' });
}

function withoutIndex({ location, index }: TarArchive): StorageError {
  if (index.find('repositories', 'first') !== undefined) {
    return new StorageError(
      'ARCHIVE_INVALID',
      `${location} has no ${INDEX_FILE}: it was saved by Docker before 1.10`,
      {
        path: location,
        hint: 'load it into a newer Docker and save it again',
      },
    );
  }
  return new StorageError(
    'SOURCE_UNRECOGNIZED',
    `${location} is no docker-archive: it has no ${INDEX_FILE}: loading tar component ${INDEX_FILE}: file does not exist`,
    {
      path: location,
      hint: 'give a file made by "docker save", "podman save" or "skopeo copy"',
    },
  );
}
