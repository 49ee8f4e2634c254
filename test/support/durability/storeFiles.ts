/** What a file of a store is, for the order in which things must reach the disk. */
export type StoreFileKind =
  /** The list of what there is: what it names is visible. */
  | 'record'
  /** What a record refers to, at the place where it belongs. */
  | 'content'
  /** What is being made, and nobody looks for. */
  | 'staged'
  /** Locks, tokens and what can be made anew. */
  | 'other';

const ID = '[0-9a-f]{64}';
const HOMES = '(?:overlay|vfs)';

const KINDS: ReadonlyArray<readonly [RegExp, StoreFileKind]> = [
  [/\/\.tmp-[^/]+$/, 'staged'],
  [new RegExp(`^${HOMES}-layers/(?:volatile-)?layers\\.json$`), 'record'],
  [new RegExp(`^${HOMES}-images/images\\.json$`), 'record'],
  [new RegExp(`^${HOMES}-containers/(?:volatile-)?containers\\.json$`), 'record'],
  [/^sediment\/oci\/index\.json$/, 'record'],
  [new RegExp(`^${HOMES}-layers/${ID}`), 'content'],
  [new RegExp(`^${HOMES}-(?:images|containers)/${ID}(?:/|$)`), 'content'],
  [/^sediment\/oci\/blobs\/sha256\/./, 'content'],
  [new RegExp(`^overlay/${ID}(?:/|$)`), 'content'],
  [/^overlay\/l\/./, 'content'],
  [new RegExp(`^vfs/dir/${ID}(?:/|$)`), 'content'],
  [new RegExp(`^${HOMES}-layers/tmp/`), 'staged'],
  [/^(?:overlay|vfs)\/(?:tempdirs|staging)\//, 'staged'],
  [/^sediment\/tmp\//, 'staged'],
];

/** @param path absolute; what lies outside of the store is `other` */
export function storeFileKind(graphRoot: string, path: string): StoreFileKind {
  if (!path.startsWith(`${graphRoot}/`)) return 'other';
  const relative = path.slice(graphRoot.length + 1);
  return KINDS.find(([pattern]) => pattern.test(relative))?.[1] ?? 'other';
}

/** The record of what a content belongs to: `layers`, `images`, `containers` or `blobs`. */
export function recordKindOf(graphRoot: string, path: string): string {
  const relative = path.slice(graphRoot.length + 1);
  if (relative.startsWith('sediment/')) return 'blobs';
  return /^(?:overlay|vfs)-(images|containers)\//.exec(relative)?.[1] ?? 'layers';
}
