import { type Digest, StorageError } from '@sediment/core';
import { readDocumentBytes } from '../archives/fileBytes.ts';
import { identifyManifest } from '../documents/identifyManifest.ts';
import { type ManifestDescriptor, readImageIndex } from '../documents/imageIndex.ts';
import { DOCUMENT_LIMIT } from '../documents/limits.ts';
import { OCI_INDEX } from '../documents/mediaTypes.ts';
import { parseJson } from '../documents/parseDocument.ts';
import type { ImageSource, SourceImage } from './imageSource.ts';
import { type LayoutFiles, layoutBlobs } from './layoutFiles.ts';
import { manifestImage } from './manifestImage.ts';
import { readManifestText } from './manifestText.ts';

const INDEX_FILE = 'index.json';
/** Set by containerd, and by Docker since release 25: the full name. */
const FULL_NAME = 'io.containerd.image.name';
/** OCI image-spec, `annotations.md`: a name, or a tag only. */
const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * Reads the index of an OCI layout. Takes over `files`: closing the source closes them.
 *
 * @param fallbackName name for an image that has none
 * @throws {StorageError} `SOURCE_UNRECOGNIZED` without an `index.json`; `MANIFEST_INVALID`,
 *   `DIGEST_INVALID`, `DOCUMENT_TOO_LARGE`, `ARCHIVE_INVALID`
 */
export async function openLayout(files: LayoutFiles, fallbackName?: string): Promise<ImageSource> {
  const images = imagesOf(files, await readIndexFile(files));
  return {
    transport: files.transport,
    location: files.location,
    images,
    ...(fallbackName === undefined ? {} : { fallbackName }),
    close: () => files.close(),
    [Symbol.asyncDispose]: () => files.close(),
  };
}

async function readIndexFile(files: LayoutFiles): Promise<readonly ManifestDescriptor[]> {
  const path = files.describe(INDEX_FILE);
  const blob = await files.find(INDEX_FILE);
  if (blob === undefined) {
    throw new StorageError(
      'SOURCE_UNRECOGNIZED',
      `${files.location} is no OCI layout: it has no ${INDEX_FILE}`,
      {
        path: files.location,
        hint: 'give the directory that holds index.json and blobs, or an archive of its content',
      },
    );
  }
  const what = `${INDEX_FILE} of ${files.location}`;
  const bytes = await readDocumentBytes({ blob, limit: DOCUMENT_LIMIT, what, path });
  const document = { bytes, what, path, code: 'MANIFEST_INVALID' } as const;
  const value = parseJson(document);
  identifyManifest(value, OCI_INDEX, document);
  return readImageIndex(value, document);
}

/** Entries of the same digest are one image, with the names of all of them. */
function imagesOf(files: LayoutFiles, entries: readonly ManifestDescriptor[]): SourceImage[] {
  const blobs = layoutBlobs(files);
  const byDigest = new Map<Digest, number[]>();
  for (const [position, { digest }] of entries.entries()) {
    byDigest.set(digest, [...(byDigest.get(digest) ?? []), position]);
  }
  return [...byDigest].map(([digest, positions]) => {
    const descriptors = positions.map((position) => entries[position] as ManifestDescriptor);
    const descriptor = descriptors[0] as ManifestDescriptor;
    const annotated = (key: string) => descriptors.flatMap(({ annotations }) => annotations?.[key] || []);
    const annotations = otherAnnotations(descriptors);
    const names = descriptors.flatMap(
      ({ annotations }) => annotations?.[FULL_NAME] || annotations?.[REF_NAME] || [],
    );
    return {
      positions,
      names: [...new Set(names)],
      aliases: annotated(REF_NAME).filter((name) => !names.includes(name)),
      digest,
      ...(annotations === undefined ? {} : { annotations }),
      ...manifestImage(blobs, () => readManifestText(blobs, descriptor)),
    };
  });
}

/** Annotations of all entries but for those that are names; the first of a key counts. */
function otherAnnotations(descriptors: readonly ManifestDescriptor[]): Record<string, string> | undefined {
  const entries = descriptors.flatMap(({ annotations }) => Object.entries(annotations ?? {}));
  const others = entries.filter(([key]) => key !== FULL_NAME && key !== REF_NAME);
  return others.length === 0 ? undefined : Object.fromEntries(others.reverse());
}
