import { readdirSync } from 'node:fs';
import { AT_FDCWD, fstatatIfExists, type PosixStat, S_IFDIR, S_IFMT } from '@sediment/posix';
import { joinBytes, openShortPath } from '../../staging/shortPath.ts';

/** A file of a tree. */
export interface TreeEntry {
  /** Relative to the root of the tree, without a leading slash. */
  readonly name: Buffer;
  /** A path that leads to it until the next entry is asked for. */
  readonly path: Buffer;
  readonly stat: PosixStat;
}

/**
 * The files below `root`, each directory before what it holds, names sorted by their bytes. The root itself is
 * not among them. What vanishes meanwhile is left out.
 */
export function* walkTree(root: Buffer): Generator<TreeEntry, void, undefined> {
  yield* walkDirectory(root, Buffer.alloc(0));
}

export function isDirectory({ mode }: PosixStat): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

/** Names in a directory, sorted by their bytes. */
export function sortedNames(directory: Buffer): Buffer[] {
  return readdirSync(directory, { encoding: 'buffer' }).sort(Buffer.compare);
}

function* walkDirectory(directory: Buffer, prefix: Buffer): Generator<TreeEntry, void, undefined> {
  const short = openShortPath(directory);
  try {
    for (const base of sortedNames(short.path)) {
      const path = joinBytes(short.path, base);
      const stat = fstatatIfExists(AT_FDCWD, path);
      if (stat === undefined) continue;
      const name = prefix.length === 0 ? base : joinBytes(prefix, base);
      yield { name, path, stat };
      if (isDirectory(stat)) yield* walkDirectory(path, name);
    }
  } finally {
    short.close();
  }
}
