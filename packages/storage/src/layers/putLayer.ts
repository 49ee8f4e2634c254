import { StorageError } from '@sediment/core';
import { sameIdMaps } from '../idmaps/idMappings.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { TempDir } from '../staging/tempDirRoot.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView, TableWriter } from '../tables/recordTable.ts';
import type { LayerExpectation, UnpackResult } from '../unpack/unpackJob.ts';
import type { LayerFiller } from './createLayer.ts';
import type { CreateLayerRequest } from './createLayerRequest.ts';
import { checkedParent, createRequested, layerMaps, refuseInUse } from './createStoreLayer.ts';
import { imageBarrier } from './layerBarriers.ts';
import { type LayerInfo, layerInfo } from './layerInfo.ts';
import { discardTempDirs, withLayerRemover } from './layerRemover.ts';
import { spoolDiff } from './spoolDiff.ts';
import { type DiffInput, factsOf, placeTarSplit, unpackInto } from './unpackInto.ts';

/** A layer to be made and filled. */
export interface PutLayerRequest extends CreateLayerRequest {
  /** The layer's tar, plain or compressed by gzip, bzip2, xz or zstd; recognised by its content. Read once. */
  readonly diff: AsyncIterable<Uint8Array>;
  /** What is known about it; each one is verified. */
  readonly expect?: LayerExpectation;
  readonly signal?: AbortSignal;
}

export interface PutLayerResult {
  readonly layer: LayerInfo;
  /** Bytes of file content that were written. */
  readonly size: number;
}

/**
 * Makes a layer and fills it from a stream. Unless its owners differ from its parent's, no lock is held
 * while it is unpacked; else the stream is read to its end first. After a failure nothing is left.
 *
 * @throws {StorageError} the codes of `createStoreLayer` and of unpacking; `PARENT_UNKNOWN`; `ABORTED`
 */
export async function putLayer(context: StoreContext, request: PutLayerRequest): Promise<PutLayerResult> {
  const { signal } = request;
  const look = async (view: TableView<LayerRecord>) => {
    refuseInUse(view, request);
    return await checkedParent(context, view, request, { signal });
  };
  const parent = await context.layers.read(look, { signal });
  return canStage(context, request, parent)
    ? await putStaged(context, request, parent)
    : await putLocked(context, request);
}

/** A staged tree gets owners and label of the host, and lies where images have their layers. */
function canStage(context: StoreContext, request: PutLayerRequest, parent: LayerRecord | undefined): boolean {
  const { mountLabel = '', template, readWrite = true } = request;
  const hasImagePlace = context.contentTemp !== context.imageContentTemp;
  const inherits = parent === undefined || (parent.uidMap.length === 0 && parent.gidMap.length === 0);
  return (
    mountLabel === '' &&
    template === undefined &&
    !(readWrite && hasImagePlace) &&
    inherits &&
    layerMaps(context, request, parent).isEmpty
  );
}

async function putStaged(
  context: StoreContext,
  request: PutLayerRequest,
  parent: LayerRecord | undefined,
): Promise<PutLayerResult> {
  const below = parent === undefined ? {} : { parent: parent.id };
  const temps: TempDir[] = [];
  try {
    const content = context.imageContentTemp.create();
    temps.push(content);
    const metadata = context.layerTemp.create();
    temps.push(metadata);
    const tree = content.stageAddition();
    const tarSplit = metadata.stageAddition();
    const base = context.driver.prepareStaged(
      tree,
      parent === undefined ? {} : { parent: { id: parent.id } },
    );
    const idMaps = { uidMap: [], gidMap: [] };
    const result = await context.disk.withBarrier(
      imageBarrier(context, [content.path, metadata.path]),
      (barrier) => unpackInto(context, inputOf(request), { root: tree, base, tarSplit, idMaps, barrier }),
    );
    return await commit(context, { request, result, parent }, (record) => {
      placeTarSplit(context, tarSplit, record.id);
      context.driver.commitStaged(tree, record.id, below);
      return factsOf(result);
    });
  } finally {
    await discardTempDirs(context, temps);
  }
}

interface Commit {
  readonly request: PutLayerRequest;
  readonly result: UnpackResult;
  readonly parent: LayerRecord | undefined;
}

async function commit(
  context: StoreContext,
  { request, result, parent }: Commit,
  fill: LayerFiller,
): Promise<PutLayerResult> {
  const { signal } = request;
  return await withLayerRemover(context, async (remover) => {
    const create = async (writer: TableWriter<LayerRecord>) => {
      const now = parent === undefined ? undefined : unchangedParent(writer, parent);
      const layer = await createRequested({ context, writer, remover, request, parent: now, fill });
      return { layer: layerInfo(layer), size: result.treeBytes };
    };
    return await context.layers.write(create, { signal });
  });
}

function unchangedParent(view: TableView<LayerRecord>, before: LayerRecord): LayerRecord {
  const now = view.locateId(before.id)?.record;
  const same =
    now !== undefined && sameIdMaps(now.uidMap, before.uidMap) && sameIdMaps(now.gidMap, before.gidMap);
  if (now !== undefined && same) return now;
  throw new StorageError(
    'PARENT_UNKNOWN',
    `the parent layer ${before.id} was deleted or changed while its child was being unpacked`,
    { object: before.id, hint: 'try again' },
  );
}

async function putLocked(context: StoreContext, request: PutLayerRequest): Promise<PutLayerResult> {
  const { signal } = request;
  const temps: TempDir[] = [];
  try {
    const metadata = context.layerTemp.create();
    temps.push(metadata);
    const spooled = await spoolDiff(context, inputOf(request), metadata.stageAddition());
    return await withLayerRemover(context, async (remover) => {
      const create = async (writer: TableWriter<LayerRecord>) => {
        const parent = await checkedParent(context, writer, request, { signal });
        let size = 0;
        const fill: LayerFiller = async (record, makeEmpty) => {
          makeEmpty();
          const tarSplit = metadata.stageAddition();
          const [root] = context.driver.contentDirectories(record.id) as [string];
          const result = await context.disk.withBarrier(
            imageBarrier(context, [root, metadata.path]),
            (barrier) => unpackInto(context, spooled, { root, tarSplit, idMaps: record, barrier }),
          );
          placeTarSplit(context, tarSplit, record.id);
          size = result.treeBytes;
          return factsOf(result);
        };
        const layer = await createRequested({ context, writer, remover, request, parent, fill });
        return { layer: layerInfo(layer), size };
      };
      return await context.layers.write(create, { signal });
    });
  } finally {
    await discardTempDirs(context, temps);
  }
}

function inputOf({ id, diff, expect, signal }: PutLayerRequest): DiffInput {
  return {
    what: id === undefined || id === '' ? 'the new layer' : `layer ${id}`,
    diff,
    ...(expect === undefined ? {} : { expect }),
    signal,
  };
}
