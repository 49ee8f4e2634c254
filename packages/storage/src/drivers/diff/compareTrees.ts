import { AT_FDCWD, fstatatIfExists, type PosixStat, readlinkat, S_IFLNK, S_IFMT } from '@sediment/posix';
import { IdMappings } from '../../idmaps/idMappings.ts';
import { joinBytes, openShortPath } from '../../staging/shortPath.ts';
import { sameTime, type TreeChange } from './change.ts';
import { comparedXattrs } from './entryXattrs.ts';
import { isDirectory, sortedNames } from './walkTree.ts';

/** A complete tree, and whose ids its files have. */
export interface ComparedTree {
  readonly root: Buffer;
  readonly maps: IdMappings;
}

/**
 * What makes `tree` another tree than `base`; everything in it, when there is no base. A directory that
 * something in it differs is told before what differs. Sorted by path. Facts: containers/storage,
 * `pkg/archive` `ChangesDirs`.
 */
export function compareTrees(tree: ComparedTree, base: ComparedTree | undefined): TreeChange[] {
  const comparison = new TreeComparison(tree.maps, base?.maps ?? new IdMappings());
  comparison.directory(tree.root, base?.root, ROOT);
  return comparison.changes.sort((one, other) => Buffer.compare(one.path, other.path));
}

const ROOT = Buffer.alloc(0);

interface Sides {
  readonly now: PosixStat | undefined;
  readonly before: PosixStat | undefined;
}

class TreeComparison {
  readonly changes: TreeChange[] = [];
  readonly #maps: IdMappings;
  readonly #baseMaps: IdMappings;

  constructor(maps: IdMappings, baseMaps: IdMappings) {
    this.#maps = maps;
    this.#baseMaps = baseMaps;
  }

  /** @param path of the directory in the trees; empty for the root */
  directory(now: Buffer, before: Buffer | undefined, path: Buffer): void {
    const shortNow = openShortPath(now);
    const shortBefore = before === undefined ? undefined : openShortPath(before);
    try {
      for (const name of this.#names(shortNow.path, shortBefore?.path)) {
        const beforePath = shortBefore === undefined ? undefined : joinBytes(shortBefore.path, name);
        this.#entry(joinBytes(shortNow.path, name), beforePath, joinBytes(path, name));
      }
    } finally {
      shortBefore?.close();
      shortNow.close();
    }
  }

  #names(now: Buffer, before: Buffer | undefined): Buffer[] {
    const names = new Map<string, Buffer>();
    for (const directory of before === undefined ? [now] : [now, before]) {
      for (const name of sortedNames(directory)) names.set(name.toString('latin1'), name);
    }
    return [...names.values()];
  }

  #entry(nowPath: Buffer, beforePath: Buffer | undefined, path: Buffer): void {
    const now = fstatatIfExists(AT_FDCWD, nowPath);
    const before = beforePath === undefined ? undefined : fstatatIfExists(AT_FDCWD, beforePath);
    if (now === undefined) {
      if (before !== undefined) this.changes.push({ path, kind: 'delete' });
      return;
    }
    if (now.ino === before?.ino && now.dev === before.dev) return;
    const kind = this.#kindOf({ now, before }, nowPath, beforePath);
    const start = this.changes.length;
    if (isDirectory(now)) {
      const below = before !== undefined && isDirectory(before) ? beforePath : undefined;
      this.directory(nowPath, below, path);
    }
    if (kind !== undefined) this.changes.push({ path, kind });
    else if (this.changes.length > start) this.changes.push({ path, kind: 'modify' });
  }

  #kindOf(
    { now, before }: Sides,
    nowPath: Buffer,
    beforePath: Buffer | undefined,
  ): TreeChange['kind'] | undefined {
    if (now === undefined || before === undefined || beforePath === undefined) return 'add';
    return this.#statDiffers(now, before) || contentDiffers(now, nowPath, beforePath) ? 'modify' : undefined;
  }

  /** Inode numbers, change times and blocks say nothing, since they differ after every copy. */
  #statDiffers(now: PosixStat, before: PosixStat): boolean {
    const owner = this.#maps.findContainer(now) ?? now;
    const ownerBefore = this.#baseMaps.findContainer(before) ?? before;
    return (
      now.mode !== before.mode ||
      owner.uid !== ownerBefore.uid ||
      owner.gid !== ownerBefore.gid ||
      now.rdev !== before.rdev ||
      !sameTime(now.mtimeNs, before.mtimeNs) ||
      (!isDirectory(now) && now.size !== before.size)
    );
  }
}

/** Of files of one type. */
function contentDiffers(now: PosixStat, nowPath: Buffer, beforePath: Buffer): boolean {
  if ((now.mode & S_IFMT) === S_IFLNK) {
    if (!readlinkat(AT_FDCWD, nowPath).equals(readlinkat(AT_FDCWD, beforePath))) return true;
  }
  return xattrText(nowPath) !== xattrText(beforePath);
}

function xattrText(path: Buffer): string {
  const texts = comparedXattrs(path).map(
    ({ name, value }) => `${name.toString('hex')}=${value.toString('hex')}`,
  );
  return texts.sort().join();
}
