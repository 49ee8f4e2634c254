import { unlinkSync } from 'node:fs';
import { type Digest, errnoCode, wrapSystemError } from '@sediment/core';
import type { DroppedBlobs, KeptDescriptor } from './blobs.ts';
import { addReachable, type DescribedBlob } from './imageBlobs.ts';
import type { KeptSession, KeptStore } from './keptStore.ts';
import type { LayoutEntry } from './layoutIndex.ts';
import { Pins } from './pins.ts';

/** What was deleted, with the digests. */
export interface Deleted {
  readonly digests: Digest[];
  bytes: number;
}

/**
 * Takes images out of the layout, and deletes those of their blobs that nothing else needs. Blobs that somebody asked
 * for after the image was kept stay: another image is on its way.
 *
 * The list goes first: a crash then leaves blobs without owner, and never an image without blobs.
 */
export function dropImages(store: KeptStore, session: KeptSession, ids: readonly string[]): Deleted {
  const { index, layout } = session;
  const doomed = new Set(ids);
  const images = layout.images.filter(({ imageId }) => !doomed.has(imageId));
  if (images.length < layout.images.length) session.saveLayout({ ...layout, images });
  const candidates = new Map<Digest, number>();
  for (const id of ids) {
    const kept = index.image(id)?.kept ?? 0;
    for (const digest of index.ownedBy(id)) {
      candidates.set(digest, Math.max(kept, candidates.get(digest) ?? 0));
    }
  }
  index.change(() => {
    for (const id of ids) index.disown(id);
  });
  return deleteUnneeded(store, session, candidates);
}

/**
 * Deletes blobs that no image owns, no pin keeps and no foreign entry of the layout needs.
 *
 * @param candidates with the time, in milliseconds since 1970, after which a blob must not have been asked for
 */
export function deleteUnneeded(
  store: KeptStore,
  { index, layout }: KeptSession,
  candidates: ReadonlyMap<Digest, number>,
): Deleted {
  const { files, context } = store;
  const pins = new Pins(context.paths.blobPins).all();
  const foreign = neededByForeign(store, layout.foreign);
  const deleted: Deleted = { digests: [], bytes: 0 };
  const gone: Digest[] = [];
  for (const [digest, limit] of candidates) {
    if (pins.has(digest) || foreign.has(digest) || index.ownersOf(digest).length > 0) continue;
    const file = files.find(digest);
    // Times of files are finer than those of the index.
    if (file !== undefined && Math.floor(file.time) > limit) continue;
    if (file !== undefined) {
      removeFile(file.path);
      deleted.digests.push(digest);
      deleted.bytes += file.size;
    }
    gone.push(digest);
  }
  index.change(() => {
    for (const digest of gone) index.forget(digest);
  });
  return deleted;
}

export function summaryOf({ digests, bytes }: Deleted): DroppedBlobs {
  return { blobs: digests.length, bytes };
}

/** What the entries need that somebody else added to the layout. */
function neededByForeign(
  { files }: KeptStore,
  entries: readonly LayoutEntry[],
): ReadonlyMap<Digest, unknown> {
  const needed = new Map<Digest, DescribedBlob>();
  for (const { mediaType, digest, size } of entries) {
    const descriptor: KeptDescriptor = { mediaType, digest, size };
    addReachable(files, descriptor, needed);
  }
  return needed;
}

export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return;
    throw wrapSystemError(error, `removing ${path}`, 'IO', { path });
  }
}
