import { createReadStream } from 'node:fs';
import { openDecompressed } from '@sediment/codec';
import { layerIdFor, newHasher, StorageError } from '@sediment/core';
import type { ChainLayer, ImageInfo, LayerInfo, PutImageRequest } from '@sediment/storage';
import { imageWith, layerWith } from '../../../../test/support/storeInfos.ts';
import type { ImportStore } from '../../src/import/importOptions.ts';

/** A store in memory: it reads and verifies layers as the real one does, and keeps what it was told. */
export class RecordingStore implements ImportStore {
  readonly layersById = new Map<string, LayerInfo>();
  readonly chains: ChainLayer[][] = [];
  readonly requests: PutImageRequest[] = [];
  readonly #owners = new Map<string, string>();

  readonly layers: ImportStore['layers'] = {
    addChain: async (chain, { onProgress } = {}) => {
      this.chains.push([...chain]);
      const added: LayerInfo[] = [];
      for (const [index, layer] of chain.entries()) {
        const id = layerIdFor(added.at(-1)?.id, layer.diffID);
        const present = this.layersById.get(id);
        if (present === undefined) onProgress?.({ type: 'layer-start', index, id, size: layer.size ?? 0 });
        const info = present ?? (await readLayer(layer, id, added.at(-1)?.id));
        onProgress?.({ type: present === undefined ? 'layer-done' : 'layer-reused', index, id });
        this.layersById.set(id, info);
        added.push(info);
      }
      return added;
    },
    delete: async (id) => {
      this.layersById.delete(id);
    },
  };

  readonly images: ImportStore['images'] = {
    put: async (request) => {
      const created = !this.requests.some(({ id }) => id === request.id);
      this.requests.push(request);
      const taken = request.names.flatMap((name) => {
        const from = this.#owners.get(name);
        this.#owners.set(name, request.id);
        return from === undefined || from === request.id ? [] : [{ name, from }];
      });
      return { image: infoOf(request), created, taken };
    },
  };
}

function chunksOf(blob: ChainLayer['blob']): AsyncIterable<Uint8Array> {
  if (typeof blob === 'function') return blob();
  const { path, offset, length } = blob;
  return createReadStream(path, { start: offset, end: offset + length - 1 });
}

async function readLayer(layer: ChainLayer, id: string, parent: string | undefined): Promise<LayerInfo> {
  const { bytes, compression } = await openDecompressed(chunksOf(layer.blob));
  const hasher = newHasher();
  let diffSize = 0;
  for await (const chunk of bytes) {
    hasher.update(chunk);
    diffSize += chunk.length;
  }
  const diffID = hasher.digest();
  if (diffID !== layer.diffID) throw new StorageError('DIFF_ID_MISMATCH', `${layer.what}: ${diffID}`);
  const links = parent === undefined ? {} : { parent };
  return layerWith({ id, ...links, diffID, diffSize, compression });
}

function infoOf(request: PutImageRequest): ImageInfo {
  const { id, digest, names, layer, metadata, created, bigData } = request;
  return imageWith({
    id,
    ...(digest === undefined ? {} : { digest }),
    digests: digest === undefined ? [] : [digest],
    names,
    namesHistory: names,
    ...(layer === undefined ? {} : { layer }),
    ...(metadata === undefined ? {} : { metadata }),
    bigData: bigData.map(({ name, bytes }) => ({ name, size: bytes.length })),
    created: created ?? '2021-01-01T00:00:00Z',
  });
}
