import { readFileSync } from 'node:fs';
import { errnoCode, wrapSystemError } from '@sediment/core';
import { IdMappings, NO_MAPPINGS } from '../idmaps/idMappings.ts';
import { atomicWrite } from '../records/atomicWrite.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import { randomId } from '../records/randomId.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import type { LayerItem } from './createLayerRequest.ts';
import { layerBarrier } from './layerBarriers.ts';
import { writeLayerItem } from './layerItems.ts';
import { asLastSaved, type LayerRemover } from './layerRemover.ts';
import { newLayerRecord } from './newLayerRecord.ts';

/** A layer whose facts are settled: ids are full, names are free, the maps are those that its content will have. */
export interface NewLayer {
  readonly context: StoreContext;
  readonly writer: TableWriter<LayerRecord>;
  /** Takes away what a failed creation leaves. */
  readonly remover: LayerRemover;
  /** Random, if absent. */
  readonly id?: string | undefined;
  /** The parent's record, from any store. */
  readonly parent?: LayerRecord | undefined;
  readonly names?: readonly string[];
  readonly mountLabel?: string | undefined;
  /** Default true. */
  readonly readWrite?: boolean;
  readonly storageOptions?: Readonly<Record<string, string>> | undefined;
  readonly metadata?: string | undefined;
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly bigData?: readonly LayerItem[];
  /** The record to copy content, digests and owners from. */
  readonly template?: LayerRecord | undefined;
  readonly volatile?: boolean;
  /** Ids of the content on disk; none if absent. */
  readonly idMaps?: IdMappings;
  /**
   * Makes the layer in the driver, instead of an empty one (or a copy of the template), or fills it.
   * Returns what the record gets to know by that.
   */
  readonly fill?: LayerFiller;
}

export type LayerFiller = (
  record: LayerRecord,
  makeEmpty: () => void,
) => Promise<Partial<LayerRecord>> | Partial<LayerRecord>;

/**
 * Makes a layer under the held layers lock and returns its record: saved as incomplete first, then its
 * items and its content, then saved as complete. After a failure nothing is left of it.
 */
export async function createLayer(layer: NewLayer): Promise<LayerRecord> {
  const { writer, remover } = layer;
  const record = recordOf(layer);
  const { volatile = false, readWrite = true, context } = layer;
  const file = volatile ? 'volatile' : readWrite ? undefined : 'images';
  writer.put({ ...record, flags: { ...record.flags, incomplete: true } }, file === undefined ? {} : { file });
  await writer.save();
  let complete = record;
  try {
    await writeItems(layer, record.id);
    const request = layerBarrier(context, { readWrite, copied: isCopy(layer), volatile });
    complete = await context.disk.withBarrier(request, async (barrier) => {
      const filled = { ...record, ...(await fillLayer(layer, record)) };
      await barrier.settle(volatile ? [] : context.driver.noteFiles(record.id));
      return filled;
    });
    writer.put(complete);
    await writer.save();
  } catch (error) {
    await remover.takeBack(writer, asLastSaved([complete], error));
    throw error;
  }
  return complete;
}

function recordOf(layer: NewLayer): LayerRecord {
  const { writer, template, parent, idMaps = NO_MAPPINGS, bigData = [] } = layer;
  const id = layer.id ?? randomId((used) => writer.byId(used) !== undefined);
  return newLayerRecord({
    ...(template === undefined ? {} : contentFacts(template)),
    id,
    names: [...(layer.names ?? [])],
    parent: parent?.id,
    metadata: layer.metadata ?? template?.metadata,
    mountLabel: layer.mountLabel,
    flags: { ...layer.flags },
    uidMap: idMaps.uidMap,
    gidMap: idMaps.gidMap,
    bigDataNames: [...new Set(bigData.map(({ name }) => name))],
  });
}

/** Whether files come from another layer, without passing an unpack job. */
function isCopy({ context, template, parent, fill }: NewLayer): boolean {
  if (template !== undefined) return true;
  return !context.driver.supports.parallelTrees && parent !== undefined && fill === undefined;
}

/** What a record knows about content, which a copy of the content has as well. */
function contentFacts(record: LayerRecord): Partial<LayerRecord> {
  const { compressedDiffDigest, compressedSize, diffDigest, tocDigest, diffSize } = record;
  const { compression, uidSet, gidSet } = record;
  return {
    ...{ compressedDiffDigest, compressedSize, diffDigest, tocDigest, diffSize },
    ...{ compression, uidSet, gidSet },
  };
}

async function writeItems({ context, bigData = [] }: NewLayer, id: string): Promise<void> {
  for (const { name, bytes } of bigData) await writeLayerItem(context, id, { name, bytes });
}

async function fillLayer(layer: NewLayer, record: LayerRecord): Promise<Partial<LayerRecord>> {
  const makeEmpty = () => makeInDriver(layer, record.id);
  if (layer.fill !== undefined) return await layer.fill(record, makeEmpty);
  makeEmpty();
  if (layer.template !== undefined) await copyTarSplit(layer.context, layer.template.id, record.id);
  return {};
}

/** Makes the layer's directory; its content as far as it comes from below gets the owners of its own maps. */
function makeInDriver(layer: NewLayer, id: string): void {
  const { context, parent, template, mountLabel, storageOptions, idMaps = NO_MAPPINGS } = layer;
  const { readWrite = true } = layer;
  const { driver } = context;
  const common = {
    ...(parent === undefined ? {} : { parent: parent.id }),
    readWrite,
  };
  if (template !== undefined) {
    driver.createFromTemplate(id, template.id, {
      ...common,
      ...(mountLabel === undefined ? {} : { mountLabel }),
      templateMaps: IdMappings.of(template),
      maps: idMaps,
    });
    return;
  }
  driver.create(id, { ...common, idMaps, ...(storageOptions === undefined ? {} : { storageOptions }) });
  if (parent === undefined || idMaps.equals(parent)) return;
  driver.updateIdMaps(id, IdMappings.of(parent), idMaps, mountLabel);
}

/** A layer by upstream's partial pull has none. */
async function copyTarSplit({ paths, disk }: StoreContext, from: string, to: string): Promise<void> {
  const source = paths.tarSplit(from);
  const target = paths.tarSplit(to);
  let bytes: Buffer;
  try {
    bytes = readFileSync(source);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return;
    throw wrapSystemError(error, `reading ${source}`, 'IO', { path: source });
  }
  await atomicWrite(target, bytes, { sync: true });
  await disk.named(target);
}
