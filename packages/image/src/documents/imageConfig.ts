import { type Digest, digestAlgorithm, type Platform, parseDigest, StorageError } from '@sediment/core';
import * as z from 'zod/mini';
import { goTime, isTime, ZERO_TIME } from './goTime.ts';
import { type DocumentText, parseDocument } from './parseDocument.ts';

/** What an import needs of an image config (OCI image-spec, `config.md`). */
export interface ImageConfig {
  /** RFC 3339 as Go prints it; absent when the config has none, or Go's zero time. */
  readonly created?: string;
  /** Absent when the config does not name both system and architecture. */
  readonly platform?: Platform;
  /** Digests of the uncompressed layers, base first. */
  readonly diffIDs: readonly Digest[];
  /** Whether there is a `rootfs` at all. */
  readonly hasRootfs: boolean;
}

const configSchema = z.object({
  created: z.nullish(z.string().check(z.refine(isTime, 'it is not a time in the form of RFC 3339'))),
  os: z.nullish(z.string()),
  architecture: z.nullish(z.string()),
  variant: z.nullish(z.string()),
  rootfs: z.nullish(z.object({ diff_ids: z.nullish(z.array(z.string())) })),
});

/** @throws {StorageError} `IMAGE_CONFIG_INVALID`, `DIGEST_INVALID`, `NOT_SUPPORTED` */
export function readImageConfig(document: Omit<DocumentText, 'code'>): ImageConfig {
  const { what } = document;
  const raw = parseDocument(configSchema, { ...document, code: 'IMAGE_CONFIG_INVALID' });
  const created = raw.created == null ? ZERO_TIME : goTime(raw.created);
  const { os, architecture, variant } = raw;
  return {
    ...(created === ZERO_TIME ? {} : { created }),
    ...(os && architecture ? { platform: { os, architecture, ...(variant ? { variant } : {}) } } : {}),
    diffIDs: (raw.rootfs?.diff_ids ?? []).map((text, i) => readDiffID(text, i, what)),
    hasRootfs: raw.rootfs != null,
  };
}

/** The store derives the ids of layers from DiffIDs, and they are hashes of 256 bits. */
function readDiffID(text: string, index: number, what: string): Digest {
  const diffID = parseDigest(text, `DiffID ${index} of ${what}`);
  if (digestAlgorithm(diffID) === 'sha256') return diffID;
  throw new StorageError('NOT_SUPPORTED', `DiffID ${index} of ${what}: ${diffID} is no sha256 digest`, {
    object: what,
    actual: diffID,
    hint: 'build the image with sha256 digests',
  });
}
