import { type Digest, layerIdFor, StorageError } from '@sediment/core';
import type { ChainKeeper } from '../blobs/chainKeeper.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import { assertRoomForLayers } from '../space/assertRoomForLayers.ts';
import type { TempDir } from '../staging/tempDirRoot.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { withOwnLock } from '../store/withOwnLock.ts';
import type { BlobRange, OpenBytes } from '../unpack/unpackJob.ts';
import { commitChain } from './commitChain.ts';
import { imageBarrier } from './layerBarriers.ts';
import { type LayerInfo, layerInfo } from './layerInfo.ts';
import { noteLayers } from './layerNote.ts';
import { discardTempDirs } from './layerRemover.ts';
import { stageChain } from './stageChain.ts';

/** A layer to be added: where its bytes are, and what is known about them. */
export interface ChainLayer {
  /** For messages, such as `layer 2 (sha256:…)`. */
  readonly what: string;
  /** The bytes as they came, compressed or not: a range of a file, or a stream that can be opened anew. */
  readonly blob: BlobRange | OpenBytes;
  /** Digest and size of these bytes, if known; verified while they are read. */
  readonly digest?: Digest;
  readonly size?: number;
  /** Digest of the uncompressed tar; decides the layer's id, and is verified. */
  readonly diffID: Digest;
  /**
   * Record the layer as if it had come uncompressed. For archives whose blobs are addressed by DiffID
   * (docker-archive): there the compression of the file is an accident, not the form of the blob.
   */
  readonly addressedByDiffID?: boolean;
}

export type ChainEvent =
  | { readonly type: 'layer-reused'; readonly index: number; readonly id: string }
  | { readonly type: 'layer-start'; readonly index: number; readonly id: string; readonly size: number }
  | { readonly type: 'layer-progress'; readonly index: number; readonly id: string; readonly read: number }
  | { readonly type: 'layer-done'; readonly index: number; readonly id: string };

export interface AddChainOptions {
  readonly onProgress?: (event: ChainEvent) => void;
  readonly signal?: AbortSignal;
  /**
   * Keep the blobs of all layers as they come (of layers that are addressed by DiffID: the plain tars), for
   * `Blobs.keepImage`. What is unpacked is read once all the same; of reused layers the bytes are read if their
   * blobs are not kept yet.
   */
  readonly keepBlobs?: boolean;
}

/** A layer of the chain with its id and its parent's. */
export interface PlannedLayer extends ChainLayer {
  readonly index: number;
  readonly id: string;
  readonly parent: string | undefined;
}

/**
 * Adds the layers of one image, base first, and returns all of them. Layers that the store or an additional
 * one has are reused and their bytes not read. The others are unpacked side by side without any store lock and
 * become visible together, in one short section under the layers lock.
 *
 * With `keepBlobs` all blobs are in the layout when this ends; a failure may leave some there that belong to nobody.
 *
 * Another process that is unpacking the same layers is waited for; what it leaves undone is done here.
 *
 * @throws {StorageError} `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DIFF_ID_MISMATCH` and the codes of
 *   unpacking; `NO_SPACE`, at once if the layers surely do not fit; `PARENT_UNKNOWN` when a reused layer was
 *   deleted meanwhile; `ABORTED`; with `keepBlobs` those of `Blobs.put`. Nothing of the chain is then visible,
 *   unless the failure was that the blob of a reused layer could not be kept.
 */
export async function addChain(
  context: StoreContext,
  chain: readonly ChainLayer[],
  options: AddChainOptions = {},
): Promise<LayerInfo[]> {
  const plan = planChain(chain);
  if (options.keepBlobs !== true) return await addPlanned(context, plan, options);
  const { ChainKeeper } = await import('../blobs/chainKeeper.ts');
  return await context.change(async () => {
    const keeper = await ChainKeeper.open(context);
    const layers = await addPlanned(context, plan, { ...options, keeper });
    await keeper.keepRest(plan, layers, options.signal);
    return layers;
  });
}

interface PlannedOptions extends AddChainOptions {
  readonly keeper?: ChainKeeper;
}

async function addPlanned(
  context: StoreContext,
  plan: readonly PlannedLayer[],
  options: PlannedOptions,
): Promise<LayerInfo[]> {
  const reported = new Set<string>();
  let committed = false;
  for (;;) {
    // Layers that are in the store without their image would be litter: from then on it is too late to abort.
    const records = await existing(context, plan, committed ? undefined : options.signal);
    const missing = plan.filter((layer) => !records.has(layer.id));
    for (const { index, id } of plan) {
      if (!records.has(id) || reported.has(id)) continue;
      reported.add(id);
      options.onProgress?.({ type: 'layer-reused', index, id });
    }
    if (missing.length === 0) return plan.map(({ id }) => layerInfo(records.get(id) as LayerRecord));
    const unpack = async () => {
      // Whoever held the lock before may have added layers: then plan again with what is left.
      const now = await existing(context, plan, options.signal);
      if (missing.some(({ id }) => now.has(id))) return;
      for (const { id } of missing) reported.add(id);
      await unpackMissing(context, missing, options);
      committed = true;
    };
    await context.change(async () => {
      await underUnpackLock(context, missing[0].id, options.signal, unpack);
    });
  }
}

function planChain(chain: readonly ChainLayer[]): PlannedLayer[] {
  const plan: PlannedLayer[] = [];
  for (const [index, layer] of chain.entries()) {
    const parent = plan.at(-1)?.id;
    plan.push({ ...layer, index, parent, id: layerIdFor(parent, layer.diffID) });
  }
  return plan;
}

async function existing(
  context: StoreContext,
  plan: readonly PlannedLayer[],
  signal: AbortSignal | undefined,
): Promise<Map<string, LayerRecord>> {
  return await context.layers.read(
    (view) => {
      const records = plan
        .map(({ id }) => view.locateId(id)?.record)
        .filter((record) => record !== undefined);
      return new Map(records.map((record) => [record.id, record]));
    },
    signal === undefined ? {} : { signal },
  );
}

/**
 * Two chains that share a missing layer share all layers below it, so they also share the lowest
 * missing one: locking that one keeps them apart. A layer that is unpacked twice all the same is dropped at
 * the commit.
 */
async function underUnpackLock(
  context: StoreContext,
  layerId: string,
  signal: AbortSignal | undefined,
  fn: () => Promise<void>,
): Promise<void> {
  await withOwnLock(context, { path: context.paths.unpackLock(layerId), rank: 'unpack', signal }, fn);
}

async function unpackMissing(
  context: StoreContext,
  missing: readonly PlannedLayer[],
  options: PlannedOptions,
): Promise<void> {
  const { keeper, signal } = options;
  const temps: TempDir[] = [];
  try {
    signal?.throwIfAborted();
    assertRoomForLayers({ ...options, paths: context.paths, layers: missing });
    const content = context.imageContentTemp.create();
    temps.push(content);
    const note = noteLayers(
      content,
      missing.map(({ id }) => id),
    );
    const metadata = context.layerTemp.create();
    temps.push(metadata);
    if (keeper !== undefined) temps.push(keeper.newTemp());
    const request = imageBarrier(context, [content.path, metadata.path]);
    await context.disk.withBarrier(request, async (barrier) => {
      const staged = await stageChain({ context, missing, content, metadata, options, keeper, barrier });
      await barrier.settle([note], signal);
      keeper?.place(staged);
      await commitChain(context, staged, { barrier, signal });
    });
  } catch (error) {
    throw isAbort(error, signal)
      ? new StorageError('ABORTED', 'the import was aborted; the store is as it was', { cause: error })
      : error;
  } finally {
    await discardTempDirs(context, temps);
  }
  for (const { index, id } of missing) options.onProgress?.({ type: 'layer-done', index, id });
}

function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && (error === signal.reason || (error as Error)?.name === 'AbortError');
}
