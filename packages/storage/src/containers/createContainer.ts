import { StorageError } from '@sediment/core';
import {
  asksForIdMaps,
  checkIdMapRequest,
  type IdMapRequest,
  refuseOverlaps,
} from '../idmaps/resolveIdMaps.ts';
import { locateImage } from '../images/findImage.ts';
import type { BigDataItem } from '../items/itemRecord.ts';
import { createRequested } from '../layers/createStoreLayer.ts';
import { type LayerRemover, withLayerRemover } from '../layers/layerRemover.ts';
import { checkNewId } from '../records/checkNewId.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import { uniqueNames } from '../records/names.ts';
import { randomId } from '../records/randomId.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView, TableWriter } from '../tables/recordTable.ts';
import { type AutoUsernsRequest, type AutoUsernsScope, autoUserns } from './autoUserns.ts';
import { type ContainerInfo, containerInfo } from './containerInfo.ts';
import { newContainerRecord } from './newContainerRecord.ts';
import { refuseInUse } from './refuseInUse.ts';
import { saveContainer } from './saveContainer.ts';
import { topLayerFor } from './topLayer.ts';

/** A container to be made. Ids that are not asked for are those of the image's top layer. */
export interface CreateContainerRequest extends IdMapRequest {
  /** Generated, if absent or empty. */
  readonly id?: string;
  /** Id, exact name or id prefix of the image; `''` or absent for a container that starts empty. */
  readonly image?: string;
  readonly names?: readonly string[];
  /** Id of the read-write layer that is made; generated, if absent. */
  readonly layer?: string;
  /** Opaque text, kept with the container. */
  readonly metadata?: string;
  /** Mount options used for this container instead of the driver's `mountopt`. */
  readonly mountOptions?: readonly string[];
  /** SELinux labels of the container's processes and files: both, or neither. */
  readonly labels?: ContainerLabels;
  /** A crash of the host may cost the container: its records and files are not synced. */
  readonly volatile?: boolean;
  /** Instead of maps: ids that no other container has, as many as the image needs. */
  readonly autoUserns?: AutoUsernsRequest;
  /** Options of the driver for the layer: `size`, `inodes`. */
  readonly storageOptions?: Readonly<Record<string, string>>;
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly bigData?: readonly BigDataItem[];
}

export interface ContainerLabels {
  readonly mount: string;
  readonly process: string;
}

/**
 * Makes a container: a new read-write layer on the image's top layer (or on a copy of it with the ids asked
 * for), and a record. Ids and names in use are refused, not taken.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, `ID_INVALID`, `DUPLICATE_ID`, `DUPLICATE_NAME`, `LAYER_UNKNOWN`,
 *   `ID_MAP_INVALID`, `INVALID_MAPPINGS`, `NO_AVAILABLE_IDS`, `USERNS_TOO_LARGE`, `BIG_DATA_NAME_INVALID`
 */
export async function createContainer(
  context: StoreContext,
  request: CreateContainerRequest,
): Promise<ContainerInfo> {
  checkLabels(request.labels);
  checkIdMapRequest(request);
  refuseTwoKinds(request);
  refuseOverlaps({ uidMap: request.uidMap ?? [], gidMap: request.gidMap ?? [] });
  return await withLayerRemover(context, async (remover) => {
    return await withIdsReserved(context, request, async () => {
      return await context.layers.write(async (layers) => {
        return await context.images.write(async (images) => {
          return await context.containers.write(async (containers) => {
            const tables = { context, remover, layers, images, containers };
            return containerInfo(await createLocked(tables, request));
          });
        });
      });
    });
  });
}

function refuseTwoKinds(request: CreateContainerRequest): void {
  if (request.autoUserns === undefined || !asksForIdMaps(request)) return;
  throw new StorageError('ID_MAP_INVALID', 'ids are asked for both by maps and by choice', {
    hint: 'ask for one of the two',
  });
}

interface Tables {
  readonly context: StoreContext;
  readonly remover: LayerRemover;
  readonly layers: TableWriter<LayerRecord>;
  readonly images: TableWriter<ImageRecord>;
  readonly containers: TableWriter<ContainerRecord>;
}

/** Who asks for ids of its own waits for those who are choosing some. */
async function withIdsReserved<T>(
  { locks, paths }: StoreContext,
  request: CreateContainerRequest,
  fn: () => Promise<T>,
): Promise<T> {
  if (!asksForIdMaps(request) && request.autoUserns === undefined) return await fn();
  return await locks.lock(paths.usernsLock, { rank: 'userns' }).withWrite(fn);
}

async function createLocked(tables: Tables, asked: CreateContainerRequest): Promise<ContainerRecord> {
  const { context, remover, layers, images, containers } = tables;
  const image = imageOf(images, asked);
  const request = withOwnIds({ context, layers, containers, image }, asked);
  const names = uniqueNames(request.names ?? []);
  const id = request.id || randomId((used) => containers.byId(used) !== undefined);
  checkNewId(id, 'container');
  refuseInUse(containers, id, names);
  const top =
    image === undefined
      ? undefined
      : await topLayerFor({ context, layers, images, remover, image, ids: request });
  const volatile = request.volatile === true || context.paths.transient;
  const layer = await createRequested({
    context,
    writer: layers,
    remover,
    parent: top,
    request: layerRequest(request, volatile),
  });
  const record = newContainerRecord({
    request,
    volatile,
    names,
    id,
    image: image?.id ?? '',
    layer: layer.id,
  });
  return await saveContainer(
    { context, remover, layers, containers, container: record },
    request.bigData ?? [],
  );
}

function withOwnIds(scope: AutoUsernsScope, request: CreateContainerRequest): CreateContainerRequest {
  if (request.autoUserns === undefined) return request;
  const maps = autoUserns(scope, request.autoUserns);
  refuseOverlaps(maps);
  return { ...request, ...maps };
}

function imageOf(images: TableView<ImageRecord>, { image = '' }: CreateContainerRequest) {
  return image === '' ? undefined : locateImage(images, image).record;
}

function layerRequest(request: CreateContainerRequest, volatile: boolean) {
  const { layer, labels, storageOptions, hostUidMap, hostGidMap, uidMap, gidMap } = request;
  return {
    ...(layer === undefined ? {} : { id: layer }),
    ...(labels === undefined || labels.mount === '' ? {} : { mountLabel: labels.mount }),
    ...(storageOptions === undefined ? {} : { storageOptions }),
    ...(hostUidMap === undefined ? {} : { hostUidMap }),
    ...(hostGidMap === undefined ? {} : { hostGidMap }),
    ...(uidMap === undefined ? {} : { uidMap }),
    ...(gidMap === undefined ? {} : { gidMap }),
    volatile,
  };
}

function checkLabels({ mount, process }: ContainerLabels = { mount: '', process: '' }): void {
  if ((mount === '') === (process === '')) return;
  throw new TypeError('labels: ProcessLabel and Mountlabel must either not be specified or both specified');
}
