import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreRoot } from './storeRoot.ts';

/** A record as it stands in a file, under upstream's keys. */
export interface StoredRecord {
  id: string;
  names?: string[];
  created: string;
  [key: string]: unknown;
}

export interface StoredLayer extends StoredRecord {
  parent?: string;
  'diff-digest'?: string;
}

export interface StoredImage extends StoredRecord {
  layer?: string;
  digest?: string;
  'big-data-names'?: string[];
}

export interface StoredContainer extends StoredRecord {
  image: string;
  layer: string;
}

/** The record files of a store as they lie on disk, read without any lock. */
export interface StoredRecords {
  layers: StoredLayer[];
  images: StoredImage[];
  containers: StoredContainer[];
  mountpoints: Array<{ id: string; path: string; count: number }>;
}

export function readRecords({ graphRoot, runRoot, driver }: StoreRoot): StoredRecords {
  return {
    layers: readArray(join(graphRoot, `${driver}-layers`, 'layers.json')) as StoredLayer[],
    images: readArray(join(graphRoot, `${driver}-images`, 'images.json')) as StoredImage[],
    containers: readArray(join(graphRoot, `${driver}-containers`, 'containers.json')) as StoredContainer[],
    mountpoints: readArray(
      join(runRoot, `${driver}-layers`, 'mountpoints.json'),
    ) as StoredRecords['mountpoints'],
  };
}

/** No file and an empty file mean no records, as they do upstream. */
function readArray(path: string): unknown[] {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text === '' ? [] : JSON.parse(text);
}

/**
 * Records in a form in which two stores of the same images are equal: sorted by id, and without the
 * moment at which each layer was made. Ids of image layers and images follow from their content; those of
 * containers do not.
 */
export function comparableRecords(
  records: StoredRecords,
): Record<'layers' | 'images' | 'containers' | 'mountpoints', unknown[]> {
  return {
    layers: sortById(records.layers).map(({ created, ...rest }) => ({ ...rest, created: typeof created })),
    images: sortById(records.images),
    containers: sortById(records.containers),
    mountpoints: sortById(records.mountpoints),
  };
}

function sortById<T extends { id: string }>(records: T[]): T[] {
  return [...records].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The layers of an image from the base to the top. */
export function layerChain({ layers }: StoredRecords, top: string | undefined): StoredLayer[] {
  const chain: StoredLayer[] = [];
  for (let id = top; id !== undefined; ) {
    const layer = layers.find((each) => each.id === id);
    if (!layer) throw new Error(`layers.json holds no layer ${id}`);
    chain.unshift(layer);
    id = layer.parent;
  }
  return chain;
}

/** Finds an image by one of its full names. */
export function imageNamed({ images }: StoredRecords, name: string): StoredImage {
  const image = images.find(({ names }) => names?.includes(name));
  if (!image) throw new Error(`images.json holds no image named ${name}`);
  return image;
}

/** The file name of a big data item: plain when all of it is lower case, digits and dots; else base64. */
export function bigDataFile(name: string): string {
  return /^[a-z0-9.]+$/.test(name) ? name : `=${Buffer.from(name).toString('base64')}`;
}
