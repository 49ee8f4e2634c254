import { type Digest, isDigest } from '@sediment/core';
import { formatImageName, parseImageName } from './imageName.ts';
import { invalidReference, partOfReference } from './invalidReference.ts';

/** Which store a reference means, where it says so. */
export interface StoreSpec {
  readonly driver?: string;
  /** Absolute. */
  readonly graphRoot: string;
  /** Absolute. */
  readonly runRoot?: string;
  /** Driver options, such as `overlay.mount_program=/x`. */
  readonly options: readonly string[];
}

/**
 * An image of a store, or the place for one. As some texts may mean an id as well as a name, only the store
 * can tell what is meant: see `resolveStoreReference`.
 */
export interface StoreReference {
  readonly transport: 'containers-storage';
  /** Absent: the store that the program works on. */
  readonly store?: StoreSpec;
  /** Complete: with domain, and with a tag unless there is a digest. */
  readonly name?: string;
  /** Of a manifest, or of a list that it was chosen from; comes with a name. */
  readonly digest?: Digest;
  /** The whole id of an image, or the beginning of the id of one that there is. */
  readonly id?: string;
  /** Stands alone: the beginning of an id if the store has such an image, else a name. */
  readonly text?: string;
}

/** Shorter texts are never taken for the beginning of an id. */
const SHORTEST_ID = 3;
const ID = new RegExp(`^[0-9a-f]{${SHORTEST_ID},64}$`);

const STORE_HINT = 'write containers-storage:[driver@/graphroot+/runroot]name, or leave out the brackets';
const IMAGE_HINT = 'write containers-storage: and a name, an id, name@digest or name@id';

/**
 * Reads what follows `containers-storage:`. Grammar: upstream's `image/storage/storage_transport.go`,
 * `ParseReference` and `ParseStoreReference`.
 *
 * @param text the whole reference, for messages
 * @throws {StorageError} `REFERENCE_INVALID`
 */
export function parseStoreReference(text: string, rest: string): StoreReference {
  const transport = 'containers-storage';
  if (!rest.startsWith('[')) return { transport, ...parseImagePart(text, rest) };
  const end = rest.indexOf(']');
  if (end === -1) throw invalidReference(text, 'store specifier did not end: invalid reference', STORE_HINT);
  const store = parseStoreSpec(text, rest.slice(1, end));
  return { transport, store, ...parseImagePart(text, rest.slice(end + 1)) };
}

/** What follows the transport: `[driver@root+run:options]name@id`. */
export function formatStoreReference({ store, name, digest, id, text }: StoreReference): string {
  const image = `${name ?? ''}${digest === undefined ? '' : `@${digest}`}${id === undefined ? '' : `@${id}`}`;
  return `${store === undefined ? '' : `[${formatStoreSpec(store)}]`}${text ?? image}`;
}

/** The name of a reference with its digest, as an image can have it. */
export function fullNameOf({ name, digest }: Pick<StoreReference, 'name' | 'digest'>): string | undefined {
  return name === undefined || digest === undefined ? name : `${name}@${digest}`;
}

/** Splits a name, as a person writes it, for a {@link StoreReference}. @throws {StorageError} `REFERENCE_INVALID` */
export function namePart(text: string): { readonly name: string; readonly digest?: Digest } {
  const { digest, ...name } = parseImageName(text);
  return { name: formatImageName(name), ...(digest === undefined ? {} : { digest }) };
}

function parseStoreSpec(text: string, spec: string): StoreSpec {
  const at = spec.indexOf('@');
  const driver = at === -1 ? undefined : spec.slice(0, at);
  const places = spec.slice(at + 1);
  if (driver === '' || places === '') throw invalidReference(text, 'invalid reference', STORE_HINT);
  const [roots, options] = cut(places, ':');
  const [graphRoot, runRoot] = cut(roots, '+');
  if (!graphRoot.startsWith('/') || (runRoot && !runRoot.startsWith('/'))) {
    throw invalidReference(text, 'path name is not absolute', STORE_HINT);
  }
  return {
    ...(driver === undefined ? {} : { driver }),
    graphRoot,
    ...(runRoot ? { runRoot } : {}),
    options: options === undefined ? [] : options.split(','),
  };
}

function formatStoreSpec({ driver, graphRoot, runRoot, options }: StoreSpec): string {
  const places = `${graphRoot}${runRoot === undefined ? '' : `+${runRoot}`}`;
  const extra = options.length === 0 ? '' : `:${options.join(',')}`;
  return `${driver === undefined ? '' : `${driver}@`}${places}${extra}`;
}

type ImagePart = Omit<StoreReference, 'transport' | 'store'>;

function parseImagePart(text: string, part: string): ImagePart {
  if (part === '') throw invalidReference(text, 'empty reference: invalid reference', IMAGE_HINT);
  if (ID.test(part)) return { text: part };
  const at = part.lastIndexOf('@');
  const last = part.slice(at + 1);
  if (at === -1 || isDigest(last)) return partOfReference(text, () => namePart(part));
  if (last === '') throw invalidReference(text, 'empty trailing digest or ID: invalid reference', IMAGE_HINT);
  if (!ID.test(last)) {
    const reason = `${JSON.stringify(last)} does not look like an image ID or digest: invalid reference`;
    throw invalidReference(text, reason, IMAGE_HINT);
  }
  if (at === 0) return { id: last };
  return { ...partOfReference(text, () => namePart(part.slice(0, at))), id: last };
}

/** The text before and behind the first separator. */
function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
