import { join } from 'node:path';
import { StorageError, wrapSystemError } from '@sediment/core';
import { findImage } from '../images/findImage.ts';
import { createLayer } from '../layers/createLayer.ts';
import { withLayerRemover } from '../layers/layerRemover.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import { nowGoTime } from '../records/goTime.ts';
import { uniqueNames } from '../records/names.ts';
import { randomId } from '../records/randomId.ts';
import { makePrivateDirectory } from '../store/makePrivateDirectory.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import { type ContainerInfo, containerInfo } from './containerInfo.ts';
import { type RemoveContainerRequest, removeContainer } from './deleteContainer.ts';

export interface CreateContainerRequest {
  /** Id, exact name or id prefix of the image. */
  readonly image: string;
  readonly names?: readonly string[];
  /** Opaque text, kept with the container. */
  readonly metadata?: string;
  /** Mount options used for this container instead of the driver's `mountopt`. */
  readonly mountOptions?: readonly string[];
}

/**
 * Makes a container: a new read-write layer on the image's top layer, a record, and then its directories
 * in graph root and run root, where an engine puts its own files. Names in use are refused, not taken.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, `DUPLICATE_NAME`, `LAYER_UNKNOWN`
 */
export async function createContainer(
  context: StoreContext,
  request: CreateContainerRequest,
): Promise<ContainerInfo> {
  return await withLayerRemover(context, async (remover) => {
    return await context.layers.write(async (layers) => {
      return await context.images.read(async (images) => {
        return await context.containers.write(async (containers) => {
          const image = findImage(images, request.image);
          const names = uniqueNames(request.names ?? []);
          refuseNamesInUse(containers, names);
          const parent = image.layer === undefined ? undefined : layers.locateId(image.layer)?.record;
          if (image.layer !== undefined && parent === undefined) throw missingLayer(image.id, image.layer);
          const layer = await createLayer({
            context,
            writer: layers,
            remover,
            parent,
          });
          const record = recordOf({ request, names, imageId: image.id, layerId: layer.id, containers });
          try {
            containers.put(record);
            await containers.save();
          } catch (error) {
            await remover.takeBack(layers, [layer]);
            throw error;
          }
          try {
            makeDirectories(context, record.id);
          } catch (error) {
            await takeBackContainer({ context, layers, containers, remover, container: record });
            throw error;
          }
          return containerInfo(record);
        });
      });
    });
  });
}

interface NewRecord {
  readonly request: CreateContainerRequest;
  readonly names: readonly string[];
  readonly imageId: string;
  readonly layerId: string;
  readonly containers: TableWriter<ContainerRecord>;
}

function recordOf({ request, names, imageId, layerId, containers }: NewRecord): ContainerRecord {
  const { metadata, mountOptions = [] } = request;
  return {
    id: randomId((id) => containers.byId(id) !== undefined),
    names: [...names],
    image: imageId,
    layer: layerId,
    ...(metadata === undefined ? {} : { metadata }),
    bigDataNames: [],
    bigDataSizes: {},
    bigDataDigests: {},
    created: nowGoTime(),
    uidMap: [],
    gidMap: [],
    flags: {
      MountLabel: '',
      ProcessLabel: '',
      ...(mountOptions.length === 0 ? {} : { MountOpts: [...mountOptions] }),
    },
    unknown: {},
  };
}

/** After the record: a directory without one would be nobody's, a missing one is made by who needs it. */
function makeDirectories({ paths }: StoreContext, id: string): void {
  for (const directory of [paths.containerData(id), paths.containerRun(id)]) {
    const path = join(directory, 'userdata');
    try {
      makePrivateDirectory(path);
    } catch (error) {
      throw wrapSystemError(error, `making ${path} of container ${id}`, 'IO', { path, object: id });
    }
  }
}

/** Never throws, since an error is on its way: what stays is reported and can be deleted like any container. */
async function takeBackContainer(request: RemoveContainerRequest): Promise<void> {
  try {
    await removeContainer(request);
  } catch (error) {
    const { context, container } = request;
    context.onWarning({
      code: 'DEBRIS_LEFT',
      message: `container ${container.id}, which could not be completed, is left: ${String(error)}`,
      object: container.id,
    });
  }
}

function refuseNamesInUse(containers: TableWriter<ContainerRecord>, names: readonly string[]): void {
  for (const name of names) {
    const owner = containers.all().find((container) => container.names.includes(name));
    if (owner === undefined) continue;
    throw new StorageError(
      'DUPLICATE_NAME',
      `the container name "${name}" is already in use by ${owner.id}. You have to remove that container to be ` +
        'able to reuse that name: that name is already in use',
      { object: name, usedBy: [owner.id], hint: 'remove that container, or choose another name' },
    );
  }
}

function missingLayer(imageId: string, layerId: string): StorageError {
  return new StorageError('LAYER_UNKNOWN', `image ${imageId}: locating layer ${layerId}: layer not known`, {
    object: layerId,
    hint: 'the image is damaged: remove it and import it again',
  });
}
