import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRecords, type StoredRecord } from '../records.ts';
import type { StoreRoot } from '../storeRoot.ts';
import { listTree, subtree, type Tree } from '../treeListing.ts';

/** What a store shows, read from its files by none of the programs under test. */
export interface VisibleState {
  /** By id: the record as text. */
  readonly images: ReadonlyMap<string, string>;
  readonly containers: ReadonlyMap<string, string>;
  readonly layers: ReadonlyMap<string, string>;
  /** By id of the layer. */
  readonly trees: ReadonlyMap<string, Tree>;
}

export function visibleState(store: StoreRoot): VisibleState {
  const { images, containers, layers } = readRecords(store);
  const home = join(store.graphRoot, store.driver === 'vfs' ? 'vfs/dir' : 'overlay');
  const all = existsSync(home) ? listTree(home) : new Map();
  const treeOf = (id: string) => subtree(all, store.driver === 'vfs' ? id : `${id}/diff`);
  return {
    images: texts(images),
    containers: texts(containers),
    layers: texts(layers),
    trees: new Map(layers.map(({ id }) => [id, treeOf(id)])),
  };
}

function texts(records: readonly StoredRecord[]): ReadonlyMap<string, string> {
  return new Map(records.map((record) => [record.id, JSON.stringify(record)]));
}
