import { type Descriptor, type Platform, parseDigest } from '@sediment/core';
import { z } from 'zod';

/** JSON `null` counts as absent everywhere, as in Go. */
const platformSchema = z.object({
  os: z.string().nullish(),
  architecture: z.string().nullish(),
  variant: z.string().nullish(),
});

export const descriptorSchema = z.object({
  mediaType: z.string().nullish(),
  digest: z.string(),
  size: z.int().nonnegative(),
  urls: z.array(z.string()).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
  platform: platformSchema.nullish(),
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
