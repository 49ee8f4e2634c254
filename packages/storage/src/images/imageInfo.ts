import type { Digest } from '@sediment/core';
import { type ItemInfo, itemInfos } from '../items/itemRecord.ts';
import { type ImageRecord, imageDigests } from '../records/imageRecord.ts';
import type { Placed } from '../tables/recordTable.ts';

/** An image as it was when asked for. */
export interface ImageInfo {
  readonly id: string;
  /** Digest of the manifest that was recorded first; of later ones see {@link digests}. */
  readonly digest?: Digest;
  /** The digests of all manifests (and lists) that are kept for the image. */
  readonly digests: readonly Digest[];
  /** Fully qualified references such as `docker.io/library/alpine:latest`, newest first. */
  readonly names: readonly string[];
  /** All names that the image ever had, newest first. */
  readonly namesHistory: readonly string[];
  /** The top layer; absent for an image without layers. */
  readonly layer?: string;
  /** Copies of the top layer whose files have other owners, for containers with id maps. */
  readonly mappedLayers: readonly string[];
  /** Opaque text of the program that made the image. */
  readonly metadata?: string;
  /** The documents kept with the image (config, manifests, signatures). */
  readonly bigData: readonly ItemInfo[];
  /** RFC 3339; comes from the image's config. */
  readonly created: string;
  readonly flags: Readonly<Record<string, unknown>>;
  /** Whether the image is in an additional store, which is never written to. */
  readonly readOnly: boolean;
}

export function imageInfo(record: ImageRecord, { readOnly = false } = {}): ImageInfo {
  const { id, names, namesHistory, layer, mappedLayers, metadata, created, flags } = record;
  const digests = imageDigests(record);
  return {
    id,
    ...(digests[0] === undefined ? {} : { digest: digests[0] }),
    digests,
    names: [...names],
    namesHistory: [...namesHistory],
    ...(layer === undefined ? {} : { layer }),
    mappedLayers: [...mappedLayers],
    ...(metadata === undefined ? {} : { metadata }),
    bigData: itemInfos(record),
    created,
    flags: { ...flags },
    readOnly,
  };
}

/** {@link imageInfo} of a record in one of the stores. */
export function placedImageInfo({ record, readOnly }: Placed<ImageRecord>): ImageInfo {
  return imageInfo(record, { readOnly });
}
