import { StorageError } from '@sediment/core';
import type { SourceBlob } from '../sources/imageSource.ts';
import { readWhole, type Whole } from '../sources/readWhole.ts';
import type { CopiedBlob, CopiedImage } from './copyEvents.ts';
import type { ImageToCopy } from './copyOne.ts';
import { type BlobPlace, type CopySession, once, reporting } from './copySession.ts';
import { sideBySide } from './sideBySide.ts';
import { signaturesToCopy } from './signatureRules.ts';

/**
 * Copies an index with all that it names, or an artifact: bytes only, nothing is looked into.
 *
 * @throws {StorageError} `INDEX_UNSUPPORTED`; `NOT_SUPPORTED` when bytes would have to change
 */
export async function copyWhole(
  session: CopySession,
  request: ImageToCopy,
  top: Whole,
): Promise<CopiedImage> {
  checkCopyable(session, top);
  const { destination, plan, total } = session;
  const { names, position, image } = request;
  const { instances, blobs } = await readWhole(top);
  const signatures = new Map(
    [top, ...instances].map((each) => [each, signaturesToCopy(session, each.signatures)]),
  );
  plan.onProgress?.({
    type: 'image-start',
    image: position,
    total,
    names,
    layers: blobs.map(({ digest, size }) => ({ digest, size })),
  });
  const copied = await copyBlobs(session, request, blobs);
  for (const each of instances) await destination.putInstance(each.document, signatures.get(each));
  const { document } = top;
  await destination.putImage({
    document,
    names,
    signatures: signatures.get(top) ?? [],
    ...(image.annotations === undefined ? {} : { annotations: image.annotations }),
  });
  return { manifestDigest: document.digest, sourceDigest: document.digest, names, layers: copied };
}

/** How many blobs are copied at a time. */
const WIDTH = 2;

async function copyBlobs(
  session: CopySession,
  { source, position }: ImageToCopy,
  blobs: readonly SourceBlob[],
): Promise<readonly CopiedBlob[]> {
  const { plan } = session;
  return await sideBySide(blobs, { width: WIDTH, signal: plan.signal }, async (blob, index, signal) => {
    const what = `blob ${blob.digest} of ${source.location}`;
    const place = { image: position, index, what };
    const copied = await once(session, blob.digest, () => copyBlob(session, blob, { place, signal }));
    plan.onProgress?.({ type: 'layer-done', image: position, index, ...copied });
    return copied;
  });
}

async function copyBlob(
  { destination, plan }: CopySession,
  { digest, size, open }: SourceBlob,
  { place, signal }: { readonly place: BlobPlace; readonly signal: AbortSignal },
): Promise<CopiedBlob> {
  if ((await destination.blobSize(digest)) === size) return { digest, size, copied: 'present' };
  const { image, index, what } = place;
  plan.onProgress?.({ type: 'layer-start', image, index, size });
  const stored = await destination.putBlob({
    what,
    kind: 'layer',
    digest,
    size,
    open: reporting(open, place, plan.onProgress),
    signal,
  });
  return { ...stored, copied: 'bytes' };
}

function checkCopyable({ destination, plan }: CopySession, { document, ...top }: Whole): void {
  const { transport, limits } = destination;
  if ('instances' in top && !limits.indexes) {
    throw new StorageError(
      'INDEX_UNSUPPORTED',
      `copying multiple images: destination transport "${transport}" does not support copying multiple images as a group`,
      {
        object: document.digest,
        hint: 'choose one platform with --platform, or copy to oci, oci-archive or dir',
      },
    );
  }
  const changes =
    plan.compression !== undefined ? 'compression' : plan.format !== undefined ? 'format' : undefined;
  if (changes !== undefined) {
    const kind = 'instances' in top ? 'an index with all its platforms' : 'what is no image of today';
    throw new StorageError(
      'NOT_SUPPORTED',
      `${kind} is copied byte for byte: its ${changes} cannot be changed`,
      {
        object: document.digest,
        hint: `leave the ${changes} out, or copy the platforms one by one with --platform`,
      },
    );
  }
}
