import { setMaxListeners } from 'node:events';
import type { ChainKeeper } from '../blobs/chainKeeper.ts';
import type { Barrier } from '../durability/barrier.ts';
import type { TempDir } from '../staging/tempDirRoot.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { UnpackJob, UnpackResult } from '../unpack/unpackJob.ts';
import type { UnpackPool } from '../unpack/unpackPool.ts';
import type { AddChainOptions, PlannedLayer } from './addChain.ts';

/** A layer whose tree and tar-split lie in staging, complete and verified. */
export interface StagedLayer {
  readonly layer: PlannedLayer;
  readonly tree: string;
  readonly tarSplit: string;
  readonly result: UnpackResult;
}

interface StageRequest {
  readonly context: StoreContext;
  readonly missing: readonly PlannedLayer[];
  readonly content: TempDir;
  readonly metadata: TempDir;
  readonly options: AddChainOptions;
  /** Which must be settled before the layers are committed. */
  readonly barrier: Barrier;
  /** Takes the blobs, if they are to be kept. */
  readonly keeper?: ChainKeeper | undefined;
}

interface StageTarget {
  readonly layer: PlannedLayer;
  readonly tree: string;
  readonly tarSplit: string;
}

/**
 * Unpacks layers into staging. Where trees do not need their parent's (overlay), all layers run side
 * by side; where they begin as copies of them (vfs), one after the other. The first failure stops the others.
 */
export async function stageChain(request: StageRequest): Promise<StagedLayer[]> {
  const { context, missing, content, metadata } = request;
  const { signal } = request.options;
  const pool = await context.unpackPool();
  signal?.throwIfAborted();
  const stop = new AbortController();
  // One listener for each layer is no leak.
  setMaxListeners(0, stop.signal);
  const forward = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', forward, { once: true });
  const run = { ...request, pool, stop };
  const targets = missing.map((layer) => ({
    layer,
    tree: content.stageAddition(),
    tarSplit: metadata.stageAddition(),
  }));
  try {
    return context.driver.supports.parallelTrees
      ? await stageSideBySide(run, targets)
      : await stageInOrder(run, targets);
  } finally {
    signal?.removeEventListener('abort', forward);
  }
}

interface StageRun extends StageRequest {
  readonly pool: UnpackPool;
  readonly stop: AbortController;
}

async function stageSideBySide(run: StageRun, targets: readonly StageTarget[]): Promise<StagedLayer[]> {
  const bases = targets.map((target, i) => prepareTree(run, target, targets[i - 1]));
  return await allOrStop(run.stop, targets, (target, i) => stageLayer(run, target, bases[i]));
}

/** Both cores have work all the same: two threads share a layer. */
async function stageInOrder(run: StageRun, targets: readonly StageTarget[]): Promise<StagedLayer[]> {
  const staged: StagedLayer[] = [];
  for (const [i, target] of targets.entries()) {
    run.stop.signal.throwIfAborted();
    staged.push(await stageLayer(run, target, prepareTree(run, target, targets[i - 1])));
  }
  return staged;
}

async function stageLayer(
  run: StageRun,
  target: StageTarget,
  base: string | undefined,
): Promise<StagedLayer> {
  const { layer, tree, tarSplit } = target;
  const job = {
    ...jobOf(layer),
    sync: run.barrier.tracksFiles,
    tree: { root: tree, ...(base === undefined ? {} : { base }), policy: run.context.driver.unpack },
    tarSplit: { path: tarSplit },
    ...keepOf(run, layer),
  };
  return { ...target, result: await runJob(run, layer, job) };
}

function jobOf({ what, blob, digest, size, diffID }: PlannedLayer): UnpackJob {
  return {
    what,
    ...(typeof blob === 'function' ? {} : { blob }),
    expect: { ...(digest === undefined ? {} : { digest }), ...(size === undefined ? {} : { size }), diffID },
  };
}

function keepOf({ keeper }: StageRun, layer: PlannedLayer): Pick<UnpackJob, 'keep'> {
  const keep = keeper?.stage(layer);
  return keep === undefined ? {} : { keep };
}

/** @returns the directory whose copy the tree begins as, if any */
function prepareTree(
  { context }: StageRun,
  { layer, tree }: StageTarget,
  below: StageTarget | undefined,
): string | undefined {
  const { parent } = layer;
  if (below !== undefined) return context.driver.prepareStaged(tree, { parent: { staged: below.tree } });
  return context.driver.prepareStaged(tree, parent === undefined ? {} : { parent: { id: parent } });
}

/** In bytes; 0 if not known. */
function sizeOf({ blob, size }: PlannedLayer): number {
  return typeof blob === 'function' ? (size ?? 0) : blob.length;
}

/** Larger layers first: the last worker to finish then finishes earlier. */
async function runJob(run: StageRun, layer: PlannedLayer, job: UnpackJob): Promise<UnpackResult> {
  const { index, id } = layer;
  const { onProgress } = run.options;
  onProgress?.({ type: 'layer-start', index, id, size: sizeOf(layer) });
  const result = await run.pool.run(job, {
    signal: run.stop.signal,
    priority: sizeOf(layer),
    ...(typeof layer.blob === 'function' ? { input: layer.blob } : {}),
    onProgress: (read) => onProgress?.({ type: 'layer-progress', index, id, read }),
  });
  for (const warning of result.warnings) run.context.onWarning(warning);
  return result;
}

async function allOrStop<T, R>(
  stop: AbortController,
  items: readonly T[],
  fn: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  return await settleAll(
    stop,
    items.map((item, index) => stopOnError(stop, () => fn(item, index))),
  );
}

async function stopOnError<R>(stop: AbortController, fn: () => Promise<R>): Promise<R> {
  try {
    return await fn();
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}

/** Waits for all, so that nothing writes any more, then throws the error that stopped the others. */
async function settleAll<T>(stop: AbortController, promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  if (stop.signal.aborted) throw stop.signal.reason;
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
