import { comparableRecords } from './records.ts';
import type { LayerSnapshot, StoreSnapshot } from './storeSnapshot.ts';
import { compareTrees, type Tree, type TreeEntry, type TreeField } from './treeListing.ts';

/**
 * Compares all that two stores hold: records, mount counts, big data, tar-split files, the trees of the
 * layers entry by entry, and what the driver keeps beside them.
 *
 * Left out is what differs between two runs of one program: when a layer was made, random link names,
 * and the times of what the program made by itself (a layer's root directory, whiteouts, record files).
 *
 * @returns one readable line per difference
 */
export function compareStores(left: StoreSnapshot, right: StoreSnapshot): string[] {
  return [
    ...compareRecords(left, right),
    ...keysOf(left.bigData, right.bigData).flatMap((key) =>
      compareTrees(treeOf(left.bigData, key), treeOf(right.bigData, key), isTime).map(
        (line) => `${key}: ${line}`,
      ),
    ),
    ...compareSkeletons(left, right),
    ...keysOf(left.layers, right.layers).flatMap((id) => {
      const [a, b] = [left.layers.get(id), right.layers.get(id)];
      if (!a || !b) return [`layer ${id}: only on the ${a ? 'left' : 'right'}`];
      return compareLayers(a, b).map((line) => `layer ${id}: ${line}`);
    }),
  ];
}

const isTime = (_: string, field: TreeField): boolean => field === 'mtimeNs';

function treeOf(trees: Map<string, Tree>, key: string): Tree {
  return trees.get(key) ?? new Map();
}

function compareRecords(left: StoreSnapshot, right: StoreSnapshot): string[] {
  const [a, b] = [comparableRecords(left.records), comparableRecords(right.records)];
  return (['layers', 'images', 'containers', 'mountpoints'] as const).flatMap((kind) => {
    const x = a[kind].map((record) => JSON.stringify(record));
    const y = b[kind].map((record) => JSON.stringify(record));
    return [
      ...x.filter((line) => !y.includes(line)).map((line) => `${kind}.json, only left: ${line}`),
      ...y.filter((line) => !x.includes(line)).map((line) => `${kind}.json, only right: ${line}`),
    ];
  });
}

/** Which files and directories a program makes besides is its own affair; those of both must agree. */
function compareSkeletons({ skeleton: left }: StoreSnapshot, { skeleton: right }: StoreSnapshot): string[] {
  return [...left].flatMap(([path, a]) => {
    const b = right.get(path);
    return b === undefined || a === b ? [] : [`${JSON.stringify(path)}: ${a} ≠ ${b}`];
  });
}

function compareLayers(left: LayerSnapshot, right: LayerSnapshot): string[] {
  const isWhiteout = (entry?: TreeEntry): boolean =>
    entry?.kind === 'character device' && entry.rdev === '0:0';
  const ownTime = (path: string, field: TreeField): boolean =>
    field === 'mtimeNs' &&
    (path === '' || (isWhiteout(left.tree.get(path)) && isWhiteout(right.tree.get(path))));
  return [
    ...compareTarSplits(left.tarSplit ?? ['no file'], right.tarSplit ?? ['no file']),
    ...keysOf(left.beside, right.beside)
      .filter((key) => left.beside.get(key) !== right.beside.get(key))
      .map((key) => `${JSON.stringify(key)}: ${left.beside.get(key)} ≠ ${right.beside.get(key)}`),
    ...compareTrees(left.tree, right.tree, ownTime),
  ];
}

function compareTarSplits(left: string[], right: string[]): string[] {
  const length = Math.max(left.length, right.length);
  for (let line = 0; line < length; line++) {
    const [a, b] = [left[line], right[line]];
    if (a !== b) return [`tar-split, line ${line + 1}: ${a?.slice(0, 200)} ≠ ${b?.slice(0, 200)}`];
  }
  return [];
}

function keysOf(left: Map<string, unknown>, right: Map<string, unknown>): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].sort();
}
