import { cleanPath, StorageError } from '@sediment/core';

const SLASH = 0x2f;
const DOT = 0x2e;
const ROOT_BASE = Buffer.from('.');

/** Where an entry goes, relative to the root of the tree and split at the last slash. */
export interface EntryPath {
  /** The name as Go's `path.Clean` makes it; a leading `/` or `..` is still there. */
  readonly clean: Buffer;
  /** Directory of the entry; empty for the root. Its components may be symlinks. */
  readonly parent: Buffer;
  /** Last component; `.` when the entry is the root itself. */
  readonly base: Buffer;
  readonly isRoot: boolean;
}

/**
 * Takes a name of a tar apart. Names are cleaned as text before anything is looked up, and `..`
 * stops at the root, as a chroot would do; symlinks in `parent` are left to the resolver.
 *
 * @param label says whose name it is, for the message (`entry name`)
 * @throws {StorageError} `UNPACK_UNSAFE` for names that are empty or hold a NUL
 */
export function splitEntryPath(name: Buffer, label = 'entry name'): EntryPath {
  if (name.length === 0) throw unsafeName(`an empty ${label}`);
  if (name.includes(0)) throw unsafeName(`a ${label} with a NUL byte`);
  const clean = cleanPath(name);
  const start = rootedStart(clean);
  if (start >= clean.length) return { clean, parent: clean.subarray(0, 0), base: ROOT_BASE, isRoot: true };
  let slash = clean.length - 1;
  while (slash >= 0 && clean[slash] !== SLASH) slash--;
  const parent = slash < start ? clean.subarray(0, 0) : clean.subarray(start, slash);
  return { clean, parent, base: clean.subarray(Math.max(slash + 1, start)), isRoot: false };
}

/** Index behind a leading `/`, `..`s or a lone `.`. */
function rootedStart(clean: Buffer): number {
  if (clean[0] === SLASH) return 1;
  if (clean[0] !== DOT) return 0;
  if (clean.length === 1) return 1;
  let start = 0;
  while (clean[start] === DOT && clean[start + 1] === DOT) {
    const next = clean[start + 2];
    if (next !== undefined && next !== SLASH) break;
    start += 3;
  }
  return start;
}

function unsafeName(what: string): StorageError {
  return new StorageError('UNPACK_UNSAFE', what, { hint: 'the layer is malformed; build it again' });
}
