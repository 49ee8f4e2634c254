import { type Digest, isStorageError, StorageError } from '@sediment/core';
import * as z from 'zod/mini';
import { OCI_INDEX } from '../documents/mediaTypes.ts';
import { parseDocument } from '../documents/parseDocument.ts';

/** OCI image-spec, `annotations.md`. */
const REF_NAME = 'org.opencontainers.image.ref.name';

const entrySchema = z.looseObject({
  digest: z.string(),
  annotations: z.nullish(z.record(z.string(), z.string())),
});
const indexSchema = z.looseObject({ manifests: z.nullish(z.array(entrySchema)) });

type Entry = z.output<typeof entrySchema>;

/** The `index.json` of a layout. Fields that are not known stay as they are. */
export type LayoutIndex = z.output<typeof indexSchema>;

export interface NewIndexEntry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function newLayoutIndex(): LayoutIndex {
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] };
}

/** @throws {StorageError} `DESTINATION_INVALID` */
export function readLayoutIndex(bytes: Uint8Array, path: string): LayoutIndex {
  try {
    return parseDocument(indexSchema, { bytes, what: path, path, code: 'DESTINATION_INVALID' });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const hint = 'the layout is damaged: repair index.json, or choose another directory';
    throw new StorageError(error.code, error.message, { ...error.facts, cause: error, hint });
  }
}

/**
 * Lists an image, by the rules of containers/image: an entry that has the name loses it, an unnamed one of
 * the same digest is replaced, otherwise there is one more.
 *
 * @param names one entry for each; without any, an unnamed one
 */
export function listImage(index: LayoutIndex, entry: NewIndexEntry, names: readonly string[]): void {
  if (names.length === 0) put(index, toEntry(entry, {}));
  for (const name of names) {
    const entries = index.manifests ?? [];
    const namesake = entries.find(({ annotations }) => annotations?.[REF_NAME] === name);
    if (namesake !== undefined) takeName(namesake);
    put(index, toEntry(entry, { [REF_NAME]: name }));
  }
}

function takeName(entry: Entry): void {
  const { [REF_NAME]: _, ...rest } = entry.annotations ?? {};
  if (Object.keys(rest).length > 0) entry.annotations = rest;
  else delete entry.annotations;
}

function put(index: LayoutIndex, entry: Entry): void {
  const entries = [...(index.manifests ?? [])];
  const replaced = entries.findIndex(
    ({ digest, annotations }) => digest === entry.digest && !annotations?.[REF_NAME],
  );
  entries.splice(replaced === -1 ? entries.length : replaced, replaced === -1 ? 0 : 1, entry);
  index.manifests = entries;
}

function toEntry(
  { annotations: more = {}, ...descriptor }: NewIndexEntry,
  own: Record<string, string>,
): Entry {
  const annotations = { ...more, ...own };
  return { ...descriptor, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
}
