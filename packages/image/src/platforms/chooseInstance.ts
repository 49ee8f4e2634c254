import { type Platform, StorageError } from '@sediment/core';
import type { ManifestDescriptor } from '../documents/imageIndex.ts';
import { isDockerType } from '../documents/mediaTypes.ts';
import { formatPlatform } from './platform.ts';
import { samePlatform, wantedPlatforms } from './wantedPlatforms.ts';

/** Set on the instance of a platform whose layers are compressed with zstd. */
const ZSTD_ANNOTATION = 'io.github.containers.compression.zstd';

export interface InstanceChoice {
  readonly manifests: readonly ManifestDescriptor[];
  readonly platform: Platform;
  /** Media type of the index or list that holds the manifests. */
  readonly mediaType: string;
  /** Names the index in the message, with the source. */
  readonly what: string;
  /** The source. */
  readonly path: string;
}

/**
 * Chooses the manifest for a platform: the best of the wanted platforms that has one, entries without
 * a platform last; among equals one with zstd layers, then the first of the list.
 *
 * @throws {StorageError} `PLATFORM_NOT_FOUND`, naming the platforms that there are
 */
export function chooseInstance(choice: InstanceChoice): ManifestDescriptor {
  const { manifests, platform, mediaType, what, path } = choice;
  const wanted = wantedPlatforms(platform);
  let best: { readonly entry: ManifestDescriptor; readonly rank: readonly [number, number] } | undefined;
  for (const entry of manifests) {
    const rank = rankOf(entry, wanted);
    if (rank === undefined) continue;
    const better =
      best === undefined || rank[0] < best.rank[0] || (rank[0] === best.rank[0] && rank[1] < best.rank[1]);
    if (better) best = { entry, rank };
  }
  if (best !== undefined) return best.entry;
  const list = isDockerType(mediaType) ? 'manifest list' : 'image index';
  const { os, architecture, variant = '' } = platform;
  throw new StorageError(
    'PLATFORM_NOT_FOUND',
    `${what}: no image found in ${list} for architecture "${architecture}", variant "${variant}", OS "${os}"`,
    { object: what, path, expected: formatPlatform(platform), hint: platformsHint(manifests) },
  );
}

function rankOf(entry: ManifestDescriptor, wanted: readonly Platform[]): [number, number] | undefined {
  const zstd = entry.annotations?.[ZSTD_ANNOTATION] === 'true' ? 0 : 1;
  const { platform } = entry;
  if (platform === undefined) return [wanted.length, zstd];
  const place = wanted.findIndex((each) => samePlatform(each, platform));
  return place === -1 ? undefined : [place, zstd];
}

function platformsHint(manifests: readonly ManifestDescriptor[]): string {
  const platforms = manifests.flatMap((entry) =>
    entry.platform === undefined ? [] : [formatPlatform(entry.platform)],
  );
  if (platforms.length === 0) return 'the list is empty';
  return `choose one of its platforms: ${[...new Set(platforms)].join(', ')}`;
}
