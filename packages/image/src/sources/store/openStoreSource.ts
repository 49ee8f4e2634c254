import type { Digest } from '@sediment/core';
import type { ImageInfo } from '@sediment/storage';
import { firstOfEachId } from '../../references/findImage.ts';
import type { ImageSource, SourceImage } from '../imageSource.ts';
import { openKeptIndex } from './keptIndex.ts';
import { openStoreImage } from './openStoreImage.ts';
import type { SourceStore } from './sourceStore.ts';

export interface StoreSourceOptions {
  /** The images to read, as the store told of them; default: all that it has, also in additional stores. */
  readonly images?: readonly ImageInfo[];
  /** The manifest to read of an image that has several, or the list that it was chosen from. */
  readonly digest?: Digest;
}

/**
 * The images of a store as a source. An image is read when it is opened, so that one that is damaged, or was made
 * by a program of another kind, does no harm to the others.
 *
 * Layers come as the store has kept their blobs, else as the uncompressed tar, made again while it is read: then
 * their digests are DiffIDs and differ from those in the manifest.
 *
 * @param store stays open when the source is closed
 */
export async function openStoreSource(
  store: SourceStore,
  { images, digest }: StoreSourceOptions = {},
): Promise<ImageSource> {
  const listed = images ?? firstOfEachId(await store.images.list());
  const annotations = new Map(
    (await store.blobs?.images())?.map((kept) => [kept.imageId, kept.annotations] as const),
  );
  const close = async () => undefined;
  return {
    transport: 'containers-storage',
    location: store.graphRoot,
    images: listed.map((image, position) => ({
      positions: [position],
      ...sourceImage(store, image, digest),
      ...annotationsOf(annotations.get(image.id)),
    })),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function sourceImage(
  store: SourceStore,
  image: ImageInfo,
  asked: Digest | undefined,
): Omit<SourceImage, 'positions'> {
  const request = { store, image, ...(asked === undefined ? {} : { asked }) };
  const digest = asked ?? image.digest;
  return {
    names: image.names,
    aliases: [image.id, ...image.digests],
    ...(digest === undefined ? {} : { digest }),
    platforms: async () => {
      const { platform } = await openStoreImage(request);
      return platform === undefined ? [] : [platform];
    },
    open: async () => await openStoreImage(request),
    openIndex: async () => await openKeptIndex(store, image),
  };
}

function annotationsOf(
  annotations: Readonly<Record<string, string>> | undefined,
): Pick<SourceImage, 'annotations'> {
  return annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations };
}
