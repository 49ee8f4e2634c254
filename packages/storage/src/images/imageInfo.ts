import type { Digest } from '@sediment/core';
import { type ImageRecord, imageDigests } from '../records/imageRecord.ts';

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
  /** Opaque text of the program that made the image. */
  readonly metadata?: string;
  /** Keys of the documents kept with the image (config, manifests, signatures), with their sizes in bytes. */
  readonly bigData: readonly { readonly name: string; readonly size?: number; readonly digest?: Digest }[];
  /** RFC 3339; comes from the image's config. */
  readonly created: string;
}

export function imageInfo(record: ImageRecord): ImageInfo {
  const { id, digest, names, namesHistory, layer, metadata, created } = record;
  return {
    id,
    ...(digest === undefined ? {} : { digest }),
    digests: imageDigests(record),
    names: [...names],
    namesHistory: [...namesHistory],
    ...(layer === undefined ? {} : { layer }),
    ...(metadata === undefined ? {} : { metadata }),
    bigData: record.bigDataNames.map((name) => ({
      name,
      ...(record.bigDataSizes[name] === undefined ? {} : { size: record.bigDataSizes[name] }),
      ...(record.bigDataDigests[name] === undefined ? {} : { digest: record.bigDataDigests[name] }),
    })),
    created,
  };
}
