import { type Descriptor, type Platform, parseDigest } from '@sediment/core';
import * as z from 'zod/mini';

/** JSON `null` counts as absent everywhere, as in Go. */
const platformSchema = z.object({
  os: z.nullish(z.string()),
  architecture: z.nullish(z.string()),
  variant: z.nullish(z.string()),
});

export const descriptorSchema = z.object({
  mediaType: z.nullish(z.string()),
  digest: z.string(),
  size: z.int().check(z.nonnegative()),
  urls: z.nullish(z.array(z.string())),
  annotations: z.nullish(z.record(z.string(), z.string())),
  platform: z.nullish(platformSchema),
});

/** A descriptor with the places, other than this source, where the blob can be fetched. */
export interface BlobDescriptor extends Descriptor {
  readonly urls: readonly string[];
}

/**
 * @param what names the descriptor in the message (`layer 2 of manifest sha256:…`)
 * @throws {StorageError} `DIGEST_INVALID`
 */
export function toDescriptor(raw: z.output<typeof descriptorSchema>, what: string): BlobDescriptor {
  const { mediaType, size, urls, annotations, platform } = raw;
  const known = toPlatform(platform);
  return {
    mediaType: mediaType ?? '',
    digest: parseDigest(raw.digest, what),
    size,
    urls: urls ?? [],
    ...(annotations == null ? {} : { annotations }),
    ...(known === undefined ? {} : { platform: known }),
  };
}

function toPlatform(raw: z.output<typeof platformSchema> | null | undefined): Platform | undefined {
  if (raw == null) return undefined;
  const { os, architecture, variant } = raw;
  return { os: os ?? '', architecture: architecture ?? '', ...(variant ? { variant } : {}) };
}
