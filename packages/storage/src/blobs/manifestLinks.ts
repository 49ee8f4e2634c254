import { type Digest, isDigest } from '@sediment/core';
import * as z from 'zod/mini';
import type { KeptDescriptor } from './blobs.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

const descriptorSchema = z.object({
  mediaType: z.nullish(z.string()),
  digest: z.custom<Digest>(isDigest),
  size: z.int().check(z.nonnegative()),
});

const linksSchema = z.object({
  schemaVersion: z.nullish(z.number()),
  mediaType: z.nullish(z.string()),
  config: z.nullish(descriptorSchema),
  layers: z.nullish(z.array(descriptorSchema)),
  manifests: z.nullish(z.array(descriptorSchema)),
});

const configSchema = z.object({
  rootfs: z.nullish(z.object({ diff_ids: z.nullish(z.array(z.custom<Digest>(isDigest))) })),
});

/** What a manifest or index refers to. */
export interface ManifestLinks {
  readonly mediaType: string;
  /** Docker's first form, whose digest is not that of its bytes. */
  readonly isSchema1: boolean;
  readonly config?: KeptDescriptor;
  readonly layers: readonly KeptDescriptor[];
  /** Of an index. */
  readonly manifests: readonly KeptDescriptor[];
}

/**
 * Reads what a manifest or index refers to; undefined if the bytes are neither. Whether it is a good image was
 * found out when it was imported.
 */
export function readManifestLinks(bytes: Uint8Array): ManifestLinks | undefined {
  const parsed = linksSchema.safeParse(parseJson(bytes));
  if (!parsed.success) return undefined;
  const { schemaVersion, mediaType, config, layers, manifests } = parsed.data;
  return {
    mediaType: mediaType || (manifests == null ? OCI_MANIFEST : OCI_INDEX),
    isSchema1: schemaVersion === 1,
    ...(config == null ? {} : { config: toDescriptor(config) }),
    layers: (layers ?? []).map(toDescriptor),
    manifests: (manifests ?? []).map(toDescriptor),
  };
}

/** The DiffIDs that an image config lists, base first; none if the bytes are no image config. */
export function readDiffIDs(bytes: Uint8Array): readonly Digest[] {
  const parsed = configSchema.safeParse(parseJson(bytes));
  return parsed.success ? (parsed.data.rootfs?.diff_ids ?? []) : [];
}

function toDescriptor({ mediaType, digest, size }: z.output<typeof descriptorSchema>): KeptDescriptor {
  return { mediaType: mediaType ?? '', digest, size };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
