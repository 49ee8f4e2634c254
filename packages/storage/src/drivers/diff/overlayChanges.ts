import { lgetxattr, type PosixStat } from '@sediment/posix';
import { joinBytes } from '../../staging/shortPath.ts';
import { sameTime, type TreeChange } from './change.ts';
import { LowerLookup } from './lowerLookup.ts';
import { isDirectory, type TreeEntry, walkTree } from './walkTree.ts';
import { isWhiteout } from './whiteoutEntry.ts';

/** A layer whose own directory says what it changes in the layers below. */
export interface OwnChanges {
  /** Content of the layer itself, with whiteouts and opaque marks. */
  readonly directory: string;
  /** Content of the layers below, nearest first. */
  readonly lowers: readonly string[];
  /** The attribute (value `y`) of an opaque directory. */
  readonly opaqueXattr: string;
}

const ROOT = Buffer.alloc(0);
const SLASH = 0x2f;

/**
 * What an overlay layer changes in the layers below it. A directory of which only the content differs is not
 * told, one that something was added to or deleted from is. Facts: containers/storage, `pkg/archive`
 * `OverlayChanges`.
 */
export function overlayChanges({ directory, lowers, opaqueXattr }: OwnChanges): TreeChange[] {
  const below = new LowerLookup(lowers);
  const changes: TreeChange[] = [];
  const told = new Set<string>();
  for (const entry of walkTree(Buffer.from(directory))) {
    const kind = changeOf(entry, below, opaqueXattr);
    if (kind === undefined) continue;
    if (isDirectory(entry.stat)) told.add(entry.name.toString('latin1'));
    if (kind !== 'modify') changes.push(...untoldParents(entry.name, told));
    changes.push({ path: joinBytes(ROOT, entry.name), kind });
  }
  return changes;
}

/**
 * Whether a directory of the layer stands in the place of one below, of which nothing is left. An opaque
 * directory that hides nothing is just new.
 */
export function hidesLower(
  { name, path, stat }: TreeEntry,
  below: LowerLookup,
  opaqueXattr: string,
): boolean {
  if (!isDirectory(stat) || below.find(name) === undefined) return false;
  return lgetxattr(path, opaqueXattr)?.toString('latin1') === 'y';
}

function changeOf(entry: TreeEntry, below: LowerLookup, opaqueXattr: string): TreeChange['kind'] | undefined {
  if (isWhiteout(entry.stat) || hidesLower(entry, below, opaqueXattr)) return 'delete';
  const lower = below.find(entry.name);
  if (lower === undefined) return 'add';
  return isSameDirectory(entry.stat, lower) ? undefined : 'modify';
}

function isSameDirectory(one: PosixStat, other: PosixStat): boolean {
  if (!isDirectory(one) || !isDirectory(other)) return false;
  return one.size === other.size && one.mode === other.mode && sameTime(one.mtimeNs, other.mtimeNs);
}

/** The directories above a name that were not told of, outermost first. */
function untoldParents(name: Buffer, told: Set<string>): TreeChange[] {
  const parents: TreeChange[] = [];
  for (let slash = name.indexOf(SLASH); slash >= 0; slash = name.indexOf(SLASH, slash + 1)) {
    const parent = name.subarray(0, slash);
    const key = parent.toString('latin1');
    if (told.has(key)) continue;
    told.add(key);
    parents.push({ path: joinBytes(ROOT, parent), kind: 'modify' });
  }
  return parents;
}
