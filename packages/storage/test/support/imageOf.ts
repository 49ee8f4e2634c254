import { digestOf } from '@sediment/core';
import type { ImageInfo, Store } from '../../src/index.ts';
import { layerOf } from './chains.ts';

/** Adds an image `localhost/<name>:1` of two layers, whose files are made in `directory`. */
export async function addImage(store: Store, directory: string, name: string): Promise<ImageInfo> {
  const layers = await store.layers.addChain([
    layerOf(directory, `${name}-base`, { 'etc/name': name, 'bin/sh': '#!' }),
    layerOf(directory, `${name}-top`, { 'etc/top': name }),
  ]);
  const config = Buffer.from(JSON.stringify({ name }));
  const manifest = Buffer.from(JSON.stringify({ manifest: name }));
  const { image } = await store.images.put({
    id: digestOf(config).slice('sha256:'.length),
    layer: layers.at(-1)?.id ?? '',
    names: [`localhost/${name}:1`],
    digest: digestOf(manifest),
    bigData: [
      { name: digestOf(config), bytes: config },
      { name: `manifest-${digestOf(manifest)}`, bytes: manifest },
      { name: 'manifest', bytes: manifest },
    ],
  });
  return image;
}
