import { openSync } from 'node:fs';
import { resolve } from 'node:path';
import { StorageError } from '@sediment/core';
import { close, O_CLOEXEC, O_DIRECTORY, O_PATH } from '@sediment/posix';
import { IdMappings, NO_MAPPINGS } from '../idmaps/idMappings.ts';
import { findLayer, locateLayer } from '../layers/findLayer.ts';
import { mountLayer, unmountLayer } from '../layers/mountLayer.ts';
import { mountTarget } from '../store/mountTarget.ts';
import type { StoreContext } from '../store/storeContext.ts';

/** A file or directory: of a layer, or of the host. */
export interface CopyPlace {
  /** By id, name or unique id prefix; the host, if absent. */
  readonly layer?: string;
  /** In a layer from its root on, in the host from the working directory on. */
  readonly path: string;
}

/** A place while it can be copied from or to. */
export interface OpenPlace {
  /** Descriptor of the root directory that the path begins at. */
  readonly root: number;
  readonly path: string;
  /** How messages name it. */
  readonly shown: string;
  /** Ids of the layer. */
  readonly maps: IdMappings;
}

/** Runs `fn` with a place to copy from. A layer is shown to us alone. */
export async function withSource<T>(
  context: StoreContext,
  { layer, path }: CopyPlace,
  fn: (place: OpenPlace) => T,
): Promise<T> {
  if (layer === undefined) return await withHostPlace(path, fn);
  const { tree, maps } = await finding(layer, () =>
    context.layers.read((view) => {
      const { record } = locateLayer(view, layer);
      return { tree: context.driver.openTree(record.id), maps: IdMappings.of(record) };
    }),
  );
  try {
    return fn({ root: tree.fd, path, shown: `${layer}:${path}`, maps });
  } finally {
    tree.close();
  }
}

/** Runs `fn` with a place to copy to. A layer is mounted meanwhile. */
export async function withDestination<T>(
  context: StoreContext,
  { layer, path }: CopyPlace,
  fn: (place: OpenPlace) => Promise<T>,
): Promise<T> {
  if (layer === undefined) return await withHostPlace(path, fn);
  const record = await finding(layer, () => context.layers.read((view) => findLayer(view, layer)));
  const { options } = await mountTarget(context, record.id);
  const mounted = await mountLayer(context, (view) => findLayer(view, record.id), options);
  try {
    const root = openSync(mounted, O_PATH | O_DIRECTORY | O_CLOEXEC);
    try {
      return await fn({ root, path, shown: resolveIn(mounted, path), maps: IdMappings.of(record) });
    } finally {
      close(root);
    }
  } finally {
    await unmountLayer(context, (view) => findLayer(view, record.id));
  }
}

async function withHostPlace<T>(path: string, fn: (place: OpenPlace) => Promise<T> | T): Promise<T> {
  const root = openSync('/', O_PATH | O_DIRECTORY | O_CLOEXEC);
  try {
    const absolute = path.endsWith('/') ? `${resolve(path)}/` : resolve(path);
    return await fn({ root, path: absolute, shown: path, maps: NO_MAPPINGS });
  } finally {
    close(root);
  }
}

function resolveIn(root: string, path: string): string {
  return `${root}${resolve('/', path)}`;
}

/** Says what the layer was looked for. */
async function finding<T>(layer: string, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'LAYER_UNKNOWN') throw error;
    throw new StorageError('LAYER_UNKNOWN', `error finding layer "${layer}": layer not known`, {
      ...error.facts,
      object: layer,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}
