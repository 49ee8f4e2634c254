import { readFileSync } from 'node:fs';
import { type Digest, errnoCode, isDigest, StorageError, wrapSystemError } from '@sediment/core';
import * as z from 'zod/mini';
import type { KeptDescriptor } from './blobs.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const REF_NAME = 'org.opencontainers.image.ref.name';
const CONTAINERD_NAME = 'io.containerd.image.name';
/** Ours: whose entry it is, and what the entry's own descriptor does not say. */
const IMAGE_ID = 'io.sediment.image.id';
const MANIFEST = 'io.sediment.image.manifest';
const INDEX = 'io.sediment.image.index';
const PINNED = 'io.sediment.image.pinned';
const OWN_KEYS: ReadonlySet<string> = new Set([REF_NAME, CONTAINERD_NAME, IMAGE_ID, MANIFEST, INDEX, PINNED]);

const entrySchema = z.looseObject({
  mediaType: z.string(),
  digest: z.custom<Digest>(isDigest),
  size: z.int().check(z.nonnegative()),
  annotations: z.nullish(z.record(z.string(), z.string())),
});

const indexSchema = z.looseObject({ manifests: z.nullish(z.array(entrySchema)) });

/** An entry of `index.json`, with keys that we do not know. */
export type LayoutEntry = z.output<typeof entrySchema>;

/** An image of the store in the layout. Its entries, one for each name, refer to `target`. */
export interface LayoutImage {
  readonly imageId: string;
  readonly names: readonly string[];
  /** The manifest; or the index, if all its platforms are kept. */
  readonly target: KeptDescriptor;
  /** Of the image, where the target is an index; `size` is not known. */
  readonly manifest?: Omit<KeptDescriptor, 'size'>;
  /** That the image was chosen from, where the target is the manifest. */
  readonly index?: Omit<KeptDescriptor, 'size'>;
  readonly pinned: boolean;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What `index.json` lists. */
export interface LayoutIndex {
  readonly images: readonly LayoutImage[];
  /** Entries that somebody else added. */
  readonly foreign: readonly LayoutEntry[];
  /** Keys beside the entries, such as annotations. */
  readonly other: Readonly<Record<string, unknown>>;
}

export const EMPTY_LAYOUT: LayoutIndex = { images: [], foreign: [], other: {} };

/**
 * Reads `index.json` of a layout.
 *
 * @throws {StorageError} `KEPT_INDEX_INVALID` when it is damaged or missing
 */
export function readLayoutIndex(path: string): LayoutIndex {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') throw unreadable(path, 'lost', error);
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
  try {
    const { manifests, ...other } = indexSchema.parse(JSON.parse(text));
    return { ...fromEntries(manifests ?? []), other };
  } catch (error) {
    throw unreadable(path, 'damaged', error);
  }
}

function unreadable(path: string, how: string, cause: unknown): StorageError {
  return new StorageError('KEPT_INDEX_INVALID', `${path}: the list of kept images is ${how}`, {
    path,
    cause,
    hint: 'collect garbage with "sediment gc", which makes it anew from the store',
  });
}

/** The text of `index.json`. */
export function formatLayoutIndex({ images, foreign, other }: LayoutIndex): string {
  const manifests = [...foreign, ...images.flatMap(toEntries)];
  return JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, ...other, manifests });
}

/** The annotations that an image brought along, without those that we set. */
export function foreignAnnotations(
  annotations: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !OWN_KEYS.has(key)));
}

function fromEntries(entries: readonly LayoutEntry[]): Omit<LayoutIndex, 'other'> {
  const images = new Map<string, LayoutImage>();
  const foreign: LayoutEntry[] = [];
  for (const entry of entries) {
    const annotations = entry.annotations ?? {};
    const imageId = annotations[IMAGE_ID];
    if (imageId === undefined) {
      foreign.push(entry);
      continue;
    }
    const name = annotations[REF_NAME];
    const names = name === undefined ? [] : [name];
    const known = images.get(imageId);
    if (known === undefined) images.set(imageId, { ...fromEntry(entry, imageId), names });
    else images.set(imageId, { ...known, names: [...known.names, ...names] });
  }
  return { images: [...images.values()], foreign };
}

function fromEntry(entry: LayoutEntry, imageId: string): Omit<LayoutImage, 'names'> {
  const { mediaType, digest, size } = entry;
  const annotations = entry.annotations ?? {};
  const manifest = readLink(annotations[MANIFEST]);
  const index = readLink(annotations[INDEX]);
  return {
    imageId,
    target: { mediaType, digest, size },
    ...(manifest === undefined ? {} : { manifest }),
    ...(index === undefined ? {} : { index }),
    pinned: annotations[PINNED] === 'true',
    annotations: foreignAnnotations(annotations),
  };
}

/** One for each name; an image without a name has one, too. */
function toEntries(image: LayoutImage): LayoutEntry[] {
  const { imageId, names, target, manifest, index, pinned, annotations } = image;
  const own = {
    ...annotations,
    [IMAGE_ID]: imageId,
    ...(manifest === undefined ? {} : { [MANIFEST]: writeLink(manifest) }),
    ...(index === undefined ? {} : { [INDEX]: writeLink(index) }),
    ...(pinned ? { [PINNED]: 'true' } : {}),
  };
  if (names.length === 0) return [{ ...target, annotations: own }];
  return names.map((name) => ({
    ...target,
    annotations: { [REF_NAME]: name, [CONTAINERD_NAME]: name, ...own },
  }));
}

function writeLink({ mediaType, digest }: Omit<KeptDescriptor, 'size'>): string {
  return `${mediaType}@${digest}`;
}

function readLink(text: string | undefined): Omit<KeptDescriptor, 'size'> | undefined {
  if (text === undefined) return undefined;
  const at = text.lastIndexOf('@');
  const digest = text.slice(at + 1);
  return isDigest(digest) ? { mediaType: text.slice(0, Math.max(at, 0)), digest } : undefined;
}
