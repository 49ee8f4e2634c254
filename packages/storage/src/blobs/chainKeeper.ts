import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { openDecompressed } from '@sediment/codec';
import type { Digest } from '@sediment/core';
import type { PlannedLayer } from '../layers/addChain.ts';
import type { LayerInfo } from '../layers/layerInfo.ts';
import type { StagedLayer } from '../layers/stageChain.ts';
import type { TempDir } from '../staging/tempDirRoot.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { UnpackJob } from '../unpack/unpackJob.ts';
import { compressionOf } from './fillIndex.ts';
import type { KeptStore } from './keptStore.ts';
import type { BlobFile } from './layoutFiles.ts';
import { placeBlob, putBlob, renewBlob } from './putBlob.ts';

/** Keeps the blobs of a chain of layers: those that are unpacked on the way, the others by themselves. */
export class ChainKeeper {
  readonly #store: KeptStore;
  readonly #staged = new Map<string, NonNullable<UnpackJob['keep']>>();
  /** By the ids of the layers. */
  readonly #files = new Map<string, BlobFile>();
  #temp: TempDir | undefined;

  private constructor(store: KeptStore) {
    this.#store = store;
  }

  /** @throws {StorageError} `NATIVE_UNAVAILABLE`, before anything is read */
  static async open(context: StoreContext): Promise<ChainKeeper> {
    const { store } = await context.keptBlobs();
    await store.prepare();
    return new ChainKeeper(store);
  }

  /** Staging for the blobs; the caller cleans it up. */
  newTemp(): TempDir {
    this.#staged.clear();
    this.#temp = this.#store.newTemp();
    return this.#temp;
  }

  /** What a job that reads the layer has to write; undefined if its blob is kept already. */
  stage(layer: PlannedLayer): UnpackJob['keep'] {
    if (this.#renew(layer) !== undefined) return undefined;
    const path = (this.#temp as TempDir).stageAddition();
    const keep = { path, form: layer.addressedByDiffID === true ? 'tar' : 'blob' } as const;
    this.#staged.set(layer.id, keep);
    return keep;
  }

  /** Moves what the jobs have written, and verified, into the layout. */
  place(layers: readonly StagedLayer[]): void {
    for (const { layer, result } of layers) {
      const staged = this.#staged.get(layer.id);
      if (staged === undefined) continue;
      const blob =
        staged.form === 'tar'
          ? { digest: result.diffDigest, size: result.diffSize }
          : { digest: result.compressedDigest, size: result.compressedSize };
      this.#files.set(layer.id, placeBlob(this.#store, staged.path, blob));
    }
  }

  /** Puts the blobs of the layers that were not unpacked, and notes what is known about all. */
  async keepRest(
    plan: readonly PlannedLayer[],
    infos: readonly LayerInfo[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (const layer of plan) {
      const kept = this.#files.get(layer.id) ?? this.#renew(layer) ?? (await this.#put(layer, signal));
      this.#files.set(layer.id, kept);
    }
    await this.#store.change(({ index }) => {
      index.change(() => {
        for (const [i, { id, diffID }] of plan.entries()) {
          const file = this.#files.get(id) as BlobFile;
          const { digest, size } = file;
          // Another program may have deleted it: then whoever keeps the image is told, and puts it again.
          if (this.#store.files.find(digest) === undefined) continue;
          const at = Math.floor(file.time);
          const diffSize = infos[i]?.diffSize;
          const compression = compressionOf(file);
          index.put({ digest, size, diffID, diffSize, compression, created: at, lastUsed: at });
        }
      });
    });
  }

  #renew({ digest, diffID, size, addressedByDiffID }: PlannedLayer): BlobFile | undefined {
    if (addressedByDiffID === true) return renewBlob(this.#store, diffID);
    return digest === undefined ? undefined : renewBlob(this.#store, digest, size);
  }

  async #put(layer: PlannedLayer, signal: AbortSignal | undefined): Promise<BlobFile> {
    const { digest, diffID, size, addressedByDiffID } = layer;
    const options = addressedByDiffID === true ? { digest: diffID } : withoutUnknown(digest, size);
    const open = () => (addressedByDiffID === true ? plainBytes(layer, signal) : bytesOf(layer, signal));
    return await putBlob(this.#store, open, { ...options, ...(signal === undefined ? {} : { signal }) });
  }
}

function withoutUnknown(digest: Digest | undefined, size: number | undefined) {
  return { ...(digest === undefined ? {} : { digest }), ...(size === undefined ? {} : { size }) };
}

function bytesOf({ blob }: PlannedLayer, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  if (typeof blob === 'function') return blob(signal);
  const { path, offset, length } = blob;
  return length === 0
    ? Readable.from([])
    : createReadStream(path, { start: offset, end: offset + length - 1 });
}

async function* plainBytes(
  layer: PlannedLayer,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { bytes } = await openDecompressed(bytesOf(layer, signal), { what: layer.what });
  yield* bytes;
}
