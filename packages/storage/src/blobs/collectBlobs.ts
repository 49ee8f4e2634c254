import type { Digest } from '@sediment/core';
import type { CollectedBlobs } from './blobs.ts';
import { deleteUnneeded, dropImages } from './dropBlobs.ts';
import { blobsOfImage } from './imageBlobs.ts';
import { imageNames, withStoreNames } from './imageNames.ts';
import { readKeepPolicy } from './keepPolicy.ts';
import type { KeptSession, KeptStore } from './keptStore.ts';

/** For so long blobs without owner are left alone: an import may be about to make an image of them. */
const GRACE_MS = 60 * 60 * 1000;

/** See `Blobs.collect`. */
export async function collectBlobs(store: KeptStore, graceMs = GRACE_MS): Promise<CollectedBlobs> {
  store.context.blobTemp.recover();
  return await store.change(async (session) => {
    const known = await imageNames(store.context);
    const named = withStoreNames(session.layout, known);
    if (named !== session.layout) session.saveLayout(named);
    reconcile(store, session);
    const doomed = doomedImages(store, session, known);
    const dropped = dropImages(store, session, doomed);
    const abandoned = deleteUnneeded(store, session, candidates(store, session, Date.now() - graceMs));
    return {
      blobs: [...dropped.digests, ...abandoned.digests],
      bytes: dropped.bytes + abandoned.bytes,
      images: doomed,
    };
  });
}

/** What a crash, or a lost index, left different between the layout's list and the index. */
function reconcile({ files }: KeptStore, { index, layout }: KeptSession): void {
  const owned = new Map(index.images().map((image) => [image.id, image]));
  const listed = new Set(layout.images.map(({ imageId }) => imageId));
  const now = Date.now();
  index.change(() => {
    for (const id of owned.keys()) if (!listed.has(id)) index.disown(id);
    for (const image of layout.images) {
      const manifest = (image.manifest ?? image.target).digest;
      if (owned.get(image.imageId)?.manifest === manifest) continue;
      const there: Digest[] = [];
      for (const { digest, mediaType, diffID } of blobsOfImage(files, image).values()) {
        const file = files.find(digest);
        if (file === undefined) continue;
        const { size, time } = file;
        index.put({ digest, size, mediaType, diffID, created: Math.floor(time), lastUsed: Math.floor(time) });
        there.push(digest);
      }
      index.own({ id: image.imageId, manifest, kept: now }, there);
    }
  });
}

function doomedImages(
  { context }: KeptStore,
  { layout }: KeptSession,
  known: ReadonlyMap<string, unknown>,
): string[] {
  const pinnedOnly = readKeepPolicy(context.paths.settings) === 'pinned';
  return layout.images
    .filter(({ imageId, pinned }) => !known.has(imageId) || (pinnedOnly && !pinned))
    .map(({ imageId }) => imageId);
}

/** All that is in the layout or the index; who needs it is asked for each. */
function candidates({ files }: KeptStore, { index }: KeptSession, limit: number): Map<Digest, number> {
  const there = files.list().map(({ digest }) => digest);
  const listed = index.blobs().map(({ digest }) => digest);
  return new Map([...there, ...listed].map((digest) => [digest, limit]));
}
