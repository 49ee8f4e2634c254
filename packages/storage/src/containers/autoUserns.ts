import { StorageError } from '@sediment/core';
import type { AutoUserns } from '../conf/storageConf.ts';
import { freeIdMaps } from '../idmaps/freeIdMaps.ts';
import type { IdMapLists } from '../idmaps/idMappings.ts';
import { namespaceIds } from '../idmaps/namespaceIds.ts';
import { type IdRange, SUBGID_FILE, SUBUID_FILE, subordinateIds } from '../idmaps/subordinateIds.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { IdMap } from '../records/idMap.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { inUserNamespace } from '../userns/inUserNamespace.ts';
import { accountIds } from './accountIds.ts';

/** Ids of its own for a container, whichever are free. */
export interface AutoUsernsRequest {
  /** So many ids, instead of as many as the image needs. */
  readonly size?: number;
  /** At least so many. */
  readonly initialSize?: number;
  /** Files on the host instead of those of the image. */
  readonly passwdFile?: string;
  readonly groupFile?: string;
  /** Maps that the container shall have in any case. */
  readonly additionalUidMap?: readonly IdMap[];
  readonly additionalGidMap?: readonly IdMap[];
}

export interface AutoUsernsScope {
  readonly context: StoreContext;
  readonly layers: TableView<LayerRecord>;
  readonly containers: TableView<ContainerRecord>;
  readonly image: ImageRecord | undefined;
}

/**
 * Chooses maps for a container from the subordinate ids of the user that storage.conf names, without those of
 * other containers. Call it under the userns lock, and keep that until the container has its record.
 *
 * @throws {StorageError} `NO_AVAILABLE_IDS`; `USERNS_TOO_LARGE`; `LAYER_UNKNOWN`
 */
export function autoUserns(scope: AutoUsernsScope, request: AutoUsernsRequest): IdMapLists {
  const { context, containers } = scope;
  const size = sizeFor(scope, request);
  const { additionalUidMap = [], additionalGidMap = [] } = request;
  const available = availableIds(context.autoUserns);
  const others = containers.all();
  const common = { size, owner: available.owner };
  return {
    uidMap: freeIdMaps({
      ...common,
      available: available.uids,
      used: others.flatMap(({ uidMap }) => uidMap),
      additional: additionalUidMap,
    }),
    gidMap: freeIdMaps({
      ...common,
      available: available.gids,
      used: others.flatMap(({ gidMap }) => gidMap),
      additional: additionalGidMap,
    }),
  };
}

function sizeFor(scope: AutoUsernsScope, request: AutoUsernsRequest): number {
  const { size = 0, initialSize = 1 } = request;
  if (size > 0) return size;
  const { minSize, maxSize } = scope.context.autoUserns;
  const needed = Math.max(initialSize, minSize, highestId(scope, request) + 1);
  if (maxSize === 0 || needed <= maxSize) return needed;
  throw new StorageError(
    'USERNS_TOO_LARGE',
    `the container needs a user namespace with size ${needed} that is bigger than the maximum value allowed with userns=auto ${maxSize}`,
    {
      expected: maxSize,
      actual: needed,
      hint: 'raise auto-userns-max-size in storage.conf, or ask for a size',
    },
  );
}

/** The highest id that an image has files or accounts of; -1 without an image. */
function highestId({ context, layers, image }: AutoUsernsScope, request: AutoUsernsRequest): number {
  if (image?.layer === undefined) return -1;
  const chain = chainOf(layers, image.layer);
  const ids = chain.flatMap(({ uidSet, gidSet }) => [...uidSet, ...gidSet]);
  return [...ids, ...accountIds(context.driver, image.layer, request)].reduce((a, b) => Math.max(a, b), -1);
}

function chainOf(layers: TableView<LayerRecord>, top: string): LayerRecord[] {
  const chain: LayerRecord[] = [];
  for (let id: string | undefined = top; id !== undefined; ) {
    const layer: LayerRecord | undefined = layers.locateId(id)?.record;
    if (layer === undefined) {
      throw new StorageError('LAYER_UNKNOWN', `cannot find layer "${id}": layer not known`, {
        object: id,
        hint: 'the image is damaged: remove it and import it again',
      });
    }
    chain.push(layer);
    id = layer.parent;
  }
  return chain;
}

interface Available {
  readonly owner: string;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** In a user namespace those that it has, but for root's; else those of a user for that purpose. */
function availableIds({ user }: AutoUserns): Available {
  if (!inUserNamespace()) {
    return {
      owner: `user "${user}"`,
      uids: subordinateIds(user, SUBUID_FILE),
      gids: subordinateIds(user, SUBGID_FILE),
    };
  }
  return {
    owner: 'this user namespace',
    uids: namespaceIds('/proc/self/uid_map'),
    gids: namespaceIds('/proc/self/gid_map'),
  };
}
