import { type Platform, StorageError } from '@sediment/core';
import type { ImageInfo, Images } from '@sediment/storage';
import { firstOfEachId } from './findImage.ts';
import { parseImageName } from './imageName.ts';
import { formatImageReference } from './imageReference.ts';
import { preferPlatform } from './preferPlatform.ts';
import { fullNameOf, namePart, type StoreReference } from './storeReference.ts';

/** The part of a store in which references are looked up. */
export interface ReferencedStore {
  readonly images: Pick<Images, 'list' | 'bigData'>;
}

/** What a reference means in a store. */
export interface ResolvedStoreReference {
  /** Absent: the store has no such image. */
  readonly image?: ImageInfo;
  /** Complete, with its digest if it has one; absent where the reference is an id. */
  readonly name?: string;
  /** In full, where the reference is an id or has one. */
  readonly id?: string;
}

/**
 * Tells what a reference means in a store: an image that there is, or the name or id of one to come.
 *
 * A text of at least three characters that begins the id of exactly one image means that image, whatever names
 * there are. Else an image is looked for by its exact name; of `name@digest` also by the digest, if it has a
 * name in the same repository; of `name@id` by the id, if it has such a name. Source: upstream's
 * `image/storage/storage_reference.go`, `resolveImage`.
 *
 * @param platform which image is meant by the digest of a list that several were chosen from; default: this host's
 * @throws {StorageError} `REFERENCE_INVALID` for a text that can be none of these, `MANIFEST_INVALID`
 */
export async function resolveStoreReference(
  store: ReferencedStore,
  reference: StoreReference,
  platform?: Platform,
): Promise<ResolvedStoreReference> {
  const images = firstOfEachId(await store.images.list());
  const { id, ...named } = expand(images, reference);
  const name = fullNameOf(named);
  const image =
    id === undefined ? await findNamed(store, images, { named, platform }) : findById(images, id, named);
  return {
    ...(image === undefined ? {} : { image }),
    ...(name === undefined ? {} : { name }),
    ...(id === undefined ? {} : { id }),
  };
}

/**
 * The image that a reference means.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, and those of {@link resolveStoreReference}
 */
export async function findReferencedImage(
  store: ReferencedStore,
  reference: StoreReference,
  platform?: Platform,
): Promise<ImageInfo> {
  const { image, name, id } = await resolveStoreReference(store, reference, platform);
  if (image !== undefined) return image;
  const text = formatImageReference(reference);
  const looked = [name, id].filter((part) => part !== undefined).join(' with the id ');
  throw new StorageError(
    'IMAGE_UNKNOWN',
    `reference ${JSON.stringify(text)} does not resolve to an image ID`,
    {
      object: text,
      hint: `the store has no image ${looked}: list its images with "sediment images"`,
    },
  );
}

type Expanded = Pick<StoreReference, 'name' | 'digest' | 'id'>;

/** Replaces the beginning of an id by the id. */
function expand(images: readonly ImageInfo[], { text, name, digest, id }: StoreReference): Expanded {
  if (text !== undefined) {
    const whole = wholeId(images, text);
    return whole === undefined ? namePart(text) : { id: whole };
  }
  const named = { ...(name === undefined ? {} : { name }), ...(digest === undefined ? {} : { digest }) };
  if (id === undefined) return named;
  const whole = id.length === 64 ? id : wholeId(images, id);
  if (whole !== undefined) return { ...named, id: whole };
  throw new StorageError(
    'REFERENCE_INVALID',
    `${JSON.stringify(id)} does not look like an image ID or digest: invalid reference`,
    { object: id, hint: 'no image, or more than one, has an id that begins like that: write the whole id' },
  );
}

function wholeId(images: readonly ImageInfo[], text: string): string | undefined {
  const found = images.filter((image) => image.id.startsWith(text));
  return found.length === 1 ? found[0]?.id : undefined;
}

function findById(images: readonly ImageInfo[], id: string, named: Expanded): ImageInfo | undefined {
  const image = images.find((each) => each.id === id);
  if (image === undefined || named.name === undefined) return image;
  return hasNameIn(image, repositoryOf(named.name)) ? image : undefined;
}

async function findNamed(
  store: ReferencedStore,
  images: readonly ImageInfo[],
  { named, platform }: { readonly named: Expanded; readonly platform: Platform | undefined },
): Promise<ImageInfo | undefined> {
  const { name, digest } = named;
  const full = fullNameOf(named);
  if (name === undefined || full === undefined) return undefined;
  const exact = images.find(({ names }) => names.includes(full));
  if (exact !== undefined || digest === undefined) return exact;
  const repository = repositoryOf(name);
  const found = images.filter((image) => image.digests.includes(digest) && hasNameIn(image, repository));
  return await preferPlatform(store, found, { digest, platform });
}

function hasNameIn({ names }: ImageInfo, repository: string | undefined): boolean {
  return repository !== undefined && names.some((name) => repositoryOf(name) === repository);
}

/** Undefined for a name of a store that is none by our rules. */
function repositoryOf(name: string): string | undefined {
  try {
    return parseImageName(name).repository;
  } catch (error) {
    if (error instanceof StorageError && error.code === 'REFERENCE_INVALID') return undefined;
    throw error;
  }
}
