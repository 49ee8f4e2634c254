import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readRecords, type StoredLayer, type StoredRecords } from './records.ts';
import type { StoreRoot } from './storeRoot.ts';
import { readTarSplit } from './tarSplitFile.ts';
import { listTree, type Tree } from './treeListing.ts';

/** All that a store holds of layers and images, read from disk without any lock. */
export interface StoreSnapshot {
  records: StoredRecords;
  /** The directories with big data of images and layers, by `images/<id>` and `layers/<id>`. */
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
  const { graphRoot, driver } = store;
  const records = readRecords(store);
  return {
    records,
    bigData: new Map(
      ['images', 'layers'].flatMap((kind) =>
        idsIn(join(graphRoot, `${driver}-${kind}`)).map((id) => [
          `${kind}/${id}`,
          listTree(join(graphRoot, `${driver}-${kind}`, id)),
        ]),
      ),
    ),
    skeleton: readSkeleton(graphRoot),
    layers: new Map(records.layers.map(({ id }) => [id, snapshotLayer(store, records.layers, id)])),
  };
}

/** Where the driver keeps the content of a layer. */
export function layerTree({ graphRoot, driver }: StoreRoot, id: string): string {
  return driver === 'vfs' ? join(graphRoot, 'vfs/dir', id) : join(graphRoot, 'overlay', id, 'diff');
}

function snapshotLayer(store: StoreRoot, layers: StoredLayer[], id: string): LayerSnapshot {
  return {
    tarSplit: readTarSplit(join(store.graphRoot, `${store.driver}-layers`, `${id}.tar-split.gz`)),
    tree: listTree(layerTree(store, id)),
    beside: store.driver === 'overlay' ? besideTree(join(store.graphRoot, 'overlay'), layers, id) : new Map(),
  };
}

function idsIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => /^[0-9a-f]{64}$/.test(name)) : [];
}

function readSkeleton(graphRoot: string): Map<string, string> {
  const names = ['', ...readdirSync(graphRoot)].flatMap((name) => {
    const path = join(graphRoot, name);
    const inner = name !== '' && lstatSync(path).isDirectory() ? readdirSync(path) : [];
    return [name, ...inner.map((each) => join(name, each))];
  });
  return new Map(names.map((name) => [name, describe(join(graphRoot, name))]));
}

function besideTree(home: string, layers: StoredLayer[], id: string): Map<string, string> {
  const readText = (layer: string, name: string): string => readFileSync(join(home, layer, name), 'latin1');
  const idOfLink = new Map(layers.map((layer) => [readText(layer.id, 'link'), layer.id]));
  const link = readText(id, 'link');
  const lower = existsSync(join(home, id, 'lower')) ? readText(id, 'lower') : 'no file';
  return new Map([
    ['', describe(join(home, id))],
    ...readdirSync(join(home, id)).map((name): [string, string] => [name, describe(join(home, id, name))]),
    ['form of link', /^[A-Z2-7]{26}$/.test(link) ? 'as it should be' : link],
    ['target of link', readlinkSync(join(home, 'l', link))],
    ['text of lower', lower.replace(/[A-Z2-7]{26}/g, (each) => idOfLink.get(each) ?? each)],
  ]);
}

function describe(path: string): string {
  const info = lstatSync(path);
  return `mode 0${info.mode.toString(8)} owner ${info.uid}:${info.gid}`;
}
