import { StorageError } from '@sediment/core';
import type { ImageInfo, Store } from '@sediment/storage';
import { normalizeLocalName, normalizeName, parseImageName } from './imageName.ts';

const FULL_ID = /^[0-9a-f]{64}$/;

/** An image that a text stands for. */
export interface FoundImage {
  readonly image: ImageInfo;
  /** The name of the image that the text means; absent when the text is an id or a digest. */
  readonly name?: string;
}

/**
 * Finds the image of a store that a person means. In this order: its id (also after `sha256:`), a name
 * exactly as written, the name completed with `localhost/` and `:latest`, the name completed with
 * `docker.io/library/` and `:latest`, the digest of a manifest (alone, or as `name@digest`), and a prefix
 * of one id only.
 *
 * podman prefers an id prefix to a completed name; then a new image can change what a name means.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, also for a prefix of several ids; `REFERENCE_INVALID` for a
 *   text that can be none of these
 */
export async function findImage(store: Pick<Store, 'images'>, text: string): Promise<FoundImage> {
  return findImageIn(await store.images.list(), text);
}

/** {@link findImage} among images that were listed before. */
export function findImageIn(listed: readonly ImageInfo[], text: string): FoundImage {
  const images = firstOfEachId(listed);
  const byId = images.find((image) => image.id === text || `sha256:${image.id}` === text);
  if (byId !== undefined) return { image: byId };
  const found =
    findByName(images, [text]) ??
    (text.includes('@') ? findByNameAndDigest(images, text) : findByName(images, completions(text))) ??
    findByDigest(images, text);
  if (found !== undefined) return found;
  const prefixed = /^[0-9a-f]+$/.test(text) ? images.filter((image) => image.id.startsWith(text)) : [];
  if (prefixed.length === 1) return { image: prefixed[0] };
  throw prefixed.length > 1 ? ambiguous(text, prefixed) : unknown(text);
}

/** An image that is in several stores is the one of the writable store, which may have lost a name. */
export function firstOfEachId(images: readonly ImageInfo[]): ImageInfo[] {
  const ids = new Set<string>();
  return images.filter(({ id }) => !ids.has(id) && ids.add(id));
}

/**
 * The complete names that a name without a digest may stand for, best first: one of this host, then one
 * of Docker's registry. None for a text with the form of an id.
 *
 * @throws {StorageError} `REFERENCE_INVALID`
 */
export function completions(text: string): readonly string[] {
  if (FULL_ID.test(text)) return [];
  return [...new Set([normalizeLocalName(text), normalizeName(text)])];
}

function findByName(images: readonly ImageInfo[], names: readonly string[]): FoundImage | undefined {
  for (const name of names) {
    const image = images.find((each) => each.names.includes(name));
    if (image !== undefined) return { image, name };
  }
  return undefined;
}

/** `name@digest`: an image with that manifest that has a name in the same repository. */
function findByNameAndDigest(images: readonly ImageInfo[], text: string): FoundImage | undefined {
  const { digest } = parseImageName(text);
  const candidates = images.filter((image) => image.digests.some((each) => each === digest));
  for (const complete of completions(text.slice(0, text.indexOf('@')))) {
    const { repository } = parseImageName(complete);
    for (const image of candidates) {
      const name = image.names.find((each) => repositoryOf(each) === repository);
      if (name !== undefined) return { image, name };
    }
  }
  return undefined;
}

function findByDigest(images: readonly ImageInfo[], text: string): FoundImage | undefined {
  const image = images.find(({ digests }) => digests.some((digest) => digest === text));
  return image === undefined ? undefined : { image };
}

/** The part of a store's name in front of tag and digest; names of the store are complete. */
function repositoryOf(name: string): string {
  return name.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}

function ambiguous(text: string, images: readonly ImageInfo[]): StorageError {
  const ids = images.map((image) => image.id);
  return new StorageError('IMAGE_UNKNOWN', `${text}: image not known: ${ids.length} ids begin like that`, {
    object: text,
    hint: `write more of the id; there are ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ' and others' : ''}`,
  });
}

function unknown(text: string): StorageError {
  const tried = text.includes('@') || FULL_ID.test(text) ? [] : completions(text);
  const names = tried.length === 0 ? '' : `looked for ${tried.join(', ')}: `;
  return new StorageError('IMAGE_UNKNOWN', `${text}: image not known`, {
    object: text,
    hint: `${names}list the images of the store with "sediment images"`,
  });
}
