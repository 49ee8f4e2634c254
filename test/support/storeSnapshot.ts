import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readRecords, type StoredRecords } from './records.ts';
import type { StoreRoot } from './storeRoot.ts';
import { readTarSplit } from './tarSplitFile.ts';
import { listTree, subtree, type Tree, type TreeEntry } from './treeListing.ts';

/** All that a store holds, read from disk without any lock. */
export interface StoreSnapshot {
  records: StoredRecords;
  /**
   * The directories of single layers, images and containers beside their records, by `layers/<id>` and so
   * on; those below the run root by `run/layers/<id>`.
   */
  bigData: Map<string, Tree>;
  /** Kind, mode and owner of the store's own files and directories, two levels deep. */
  skeleton: Map<string, string>;
  layers: Map<string, LayerSnapshot>;
}

export interface LayerSnapshot {
  /** The lines of the tar-split file; undefined when there is none. */
  tarSplit: string[] | undefined;
  tree: Tree;
  /** What the overlay driver keeps beside the tree, with the ids of layers for their random link names. */
  beside: Map<string, string>;
}

export function snapshotStore(store: StoreRoot): StoreSnapshot {
  const { graphRoot, runRoot, driver } = store;
  const records = readRecords(store);
  const graph = listTree(graphRoot);
  return {
    records,
    bigData: new Map([
      ...ownDirectories(graph, driver, ''),
      ...ownDirectories(listTree(runRoot), driver, 'run/'),
    ]),
    skeleton: readSkeleton(graph),
    layers: new Map(records.layers.map(({ id }) => [id, snapshotLayer(store, graph, id)])),
  };
}

/** Where the driver keeps the content of a layer. */
export function layerTree({ graphRoot, driver }: StoreRoot, id: string): string {
  return join(graphRoot, treeWithin(driver, id));
}

function treeWithin(driver: string, id: string): string {
  return driver === 'vfs' ? `vfs/dir/${id}` : `overlay/${id}/diff`;
}

function ownDirectories(tree: Tree, driver: string, prefix: string): Array<[string, Tree]> {
  return ['layers', 'images', 'containers'].flatMap((kind) =>
    childrenOf(tree, `${driver}-${kind}`)
      .filter(({ kind: type, path }) => type === 'directory' && !STAGING.test(path))
      .map(({ path }): [string, Tree] => [`${prefix}${path.slice(driver.length + 1)}`, subtree(tree, path)]),
  );
}

/** Directories for temporary files, of which some programs leave empty ones behind. */
const STAGING = /\/(tmp|tempdirs)$/;

function snapshotLayer(store: StoreRoot, graph: Tree, id: string): LayerSnapshot {
  return {
    tarSplit: readTarSplit(join(store.graphRoot, `${store.driver}-layers`, `${id}.tar-split.gz`)),
    tree: subtree(graph, treeWithin(store.driver, id)),
    beside: store.driver === 'overlay' ? besideTree(graph, join(store.graphRoot, 'overlay'), id) : new Map(),
  };
}

function childrenOf(tree: Tree, directory: string): TreeEntry[] {
  return [...tree.values()].filter(
    ({ path }) => path.startsWith(`${directory}/`) && !path.slice(directory.length + 1).includes('/'),
  );
}

function readSkeleton(graph: Tree): Map<string, string> {
  const entries = [...graph.values()].filter(({ path }) => path.split('/').length <= 2);
  return new Map(entries.map((entry) => [entry.path, describe(entry)]));
}

function besideTree(graph: Tree, home: string, id: string): Map<string, string> {
  const readText = (name: string): string => readFileSync(join(home, id, name), 'latin1');
  const link = readText('link');
  const lower = existsSync(join(home, id, 'lower')) ? readText('lower') : 'no file';
  const links = new Map(
    readdirSync(join(home, 'l')).map((name) => [name, readlinkSync(join(home, 'l', name))]),
  );
  const self = graph.get(`overlay/${id}`);
  return new Map([
    ...(self === undefined ? [] : [['', describe(self)] as [string, string]]),
    ...childrenOf(graph, `overlay/${id}`).map((entry): [string, string] => [
      entry.path.slice(`overlay/${id}/`.length),
      describe(entry),
    ]),
    ['form of link', /^[A-Z2-7]{26}$/.test(link) ? 'as it should be' : link],
    ['target of link', links.get(link) ?? 'no link'],
    ['text of lower', lower.replace(/[A-Z2-7]{26}/g, (each) => links.get(each)?.split('/')[1] ?? each)],
  ]);
}

function describe({ kind, mode, uid, gid }: TreeEntry): string {
  return `${kind} mode 0${mode.toString(8)} owner ${uid}:${gid}`;
}
