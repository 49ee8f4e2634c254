import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** One entry of a tree, as lstat, listxattr and the content say. Names are latin-1 texts of their bytes. */
export interface TreeEntry {
  /** Relative to the tree's root, which is itself the entry ''. */
  path: string;
  kind: 'file' | 'directory' | 'symlink' | 'character device' | 'block device' | 'fifo' | 'socket';
  mode: number;
  uid: number;
  gid: number;
  mtimeNs: string;
  /** All namespaces, values as hexadecimal digits. */
  xattrs: Record<string, string>;
  /** Not of directories: file systems count differently there. */
  nlink?: number;
  /** Of an entry with several hard links: the first of them in the tree. */
  links?: string;
  size?: number;
  sha256?: string;
  target?: string;
  /** `major:minor` of a device. */
  rdev?: string;
}

export type TreeField = keyof Omit<TreeEntry, 'path'>;
export type Tree = Map<string, TreeEntry>;

const SCRIPT = fileURLToPath(new URL('treeListing.py', import.meta.url));

/**
 * Lists a tree with a program that shares nothing with the code under test. It needs the right to read all
 * of the tree; `trusted.*` attributes are seen by root alone.
 */
export function listTree(root: string): Tree {
  const result = spawnSync('python3', ['-I', SCRIPT, root], { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (result.status !== 0) throw new Error(`cannot list ${root}: ${result.error ?? result.stderr}`);
  const entries = result.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TreeEntry);
  return new Map(entries.map((entry) => [entry.path, entry]));
}

/** The part of a listing at and below one of its directories, as if that had been listed; empty if it is not there. */
export function subtree(tree: Tree, directory: string): Tree {
  const relative = (path: string): string | undefined =>
    path === directory ? '' : path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : undefined;
  const part: Tree = new Map();
  for (const entry of tree.values()) {
    const path = relative(entry.path);
    if (path === undefined) continue;
    const links = entry.links === undefined ? {} : { links: relative(entry.links) ?? entry.links };
    part.set(path, { ...entry, path, ...links });
  }
  return part;
}

/**
 * Compares two listings field by field.
 *
 * @param ignore says which field of which entry may differ
 * @returns one readable line per difference; empty when the trees are equal
 */
export function compareTrees(
  left: Tree,
  right: Tree,
  ignore: (path: string, field: TreeField) => boolean = () => false,
): string[] {
  const differences: string[] = [];
  for (const path of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const a = left.get(path);
    const b = right.get(path);
    const name = JSON.stringify(path);
    if (!a || !b) differences.push(`${name}: only on the ${a ? 'left' : 'right'}`);
    else differences.push(...compareEntries(a, b, ignore).map((line) => `${name}: ${line}`));
  }
  return differences;
}

function compareEntries(
  a: TreeEntry,
  b: TreeEntry,
  ignore: (path: string, field: TreeField) => boolean,
): string[] {
  const fields = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<TreeField | 'path'>;
  const lines: string[] = [];
  for (const field of fields) {
    if (field === 'path' || ignore(a.path, field)) continue;
    const [x, y] = [show(field, a[field]), show(field, b[field])];
    if (x !== y) lines.push(`${field} ${x} ≠ ${y}`);
  }
  return lines;
}

function show(field: TreeField, value: unknown): string {
  return field === 'mode' ? `0${(value as number).toString(8)}` : JSON.stringify(value);
}
