import { openRange } from '../archives/openRange.ts';
import { readImageIndex } from '../documents/imageIndex.ts';
import { readManifestBlobs } from '../documents/manifestBlobs.ts';
import type { BlobFiles } from './blobFiles.ts';
import { findBlob } from './findBlob.ts';
import type { OpenedIndex, OpenedManifest, SourceBlob } from './imageSource.ts';
import { checkIndexDepth } from './leafManifests.ts';
import { documentOf, type ManifestText, readManifestText } from './manifestText.ts';
import { schema1Blobs } from './schema1Content.ts';

/** An index; its instances are read when they are opened. */
export function openIndex(files: BlobFiles, text: ManifestText, depth = 1): OpenedIndex {
  checkIndexDepth(depth, text);
  return {
    document: documentOf(text),
    signatures: text.signatures,
    instances: readImageIndex(text.value, text.document).map((descriptor) => ({
      descriptor,
      open: async () => {
        const instance = await readManifestText(files, descriptor);
        return instance.kind === 'index'
          ? openIndex(files, instance, depth + 1)
          : await openManifest(files, instance);
      },
    })),
  };
}

/** A manifest with all that it names, for a copy of its bytes. */
export async function openManifest(files: BlobFiles, text: ManifestText): Promise<OpenedManifest> {
  const { what } = text.document;
  if (text.kind === 'schema1') {
    const blobs = await schema1Blobs(files, text);
    return { document: documentOf(text), blobs, signatures: text.signatures };
  }
  const blobs: SourceBlob[] = [];
  for (const descriptor of readManifestBlobs(text.value, text.document)) {
    const { mediaType, digest, size } = descriptor;
    const name = `blob ${digest} of ${what}`;
    const range = await findBlob(files, { descriptor, what: name });
    blobs.push({ mediaType, digest, size, range, open: openRange(range, name) });
  }
  return { document: documentOf(text), blobs, signatures: text.signatures };
}
