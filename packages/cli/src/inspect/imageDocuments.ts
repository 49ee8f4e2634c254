import { type ErrorCode, StorageError } from '@sediment/core';
import type { ImageInfo, Store } from '@sediment/storage';

type JsonObject = Readonly<Record<string, unknown>>;

/** The manifest and config of an image; undefined where the store has none. */
export interface ImageDocuments {
  readonly manifest: JsonObject | undefined;
  readonly config: JsonObject | undefined;
}

/**
 * Reads what is kept with an image. Programs other than image tools make images without documents.
 *
 * @throws {StorageError} `BIG_DATA_UNKNOWN`, `MANIFEST_INVALID`, `IMAGE_CONFIG_INVALID` for damaged ones
 */
export async function readImageDocuments(
  store: Pick<Store, 'images'>,
  image: ImageInfo,
): Promise<ImageDocuments> {
  const manifest = await readItem(store, image, { key: 'manifest', code: 'MANIFEST_INVALID' });
  const digest = asObject(manifest?.config)?.digest;
  const config = await readItem(store, image, {
    key: typeof digest === 'string' ? digest : `sha256:${image.id}`,
    code: 'IMAGE_CONFIG_INVALID',
  });
  return { manifest, config };
}

/** The value, if it is an object; fields of foreign documents may be anything. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

async function readItem(
  store: Pick<Store, 'images'>,
  image: ImageInfo,
  { key, code }: { readonly key: string; readonly code: ErrorCode },
): Promise<JsonObject | undefined> {
  if (!image.bigData.some(({ name }) => name === key)) return undefined;
  const bytes = await store.images.bigData(image.id, key);
  try {
    const value = asObject(JSON.parse(bytes.toString('utf8')));
    if (value === undefined) throw new SyntaxError('it is no JSON object');
    return value;
  } catch (cause) {
    throw new StorageError(code, `${key} of image ${image.id} is damaged: ${(cause as Error).message}`, {
      object: image.id,
      cause,
      hint: 'remove the image and import it again',
    });
  }
}
