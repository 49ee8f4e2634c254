import { StorageError } from '@sediment/core';
import type { IdMap } from '../records/idMap.ts';
import { type IdMapLists, IdMappings } from './idMappings.ts';
import { parseIdMapTriples } from './parseIdMapTriples.ts';
import { subordinateMaps } from './subordinateIds.ts';

/** Which ids a new layer or container shall have. What is left out is inherited. */
export interface IdMapRequest {
  /** User ids as in the host, whatever the parent has. Not together with {@link IdMapRequest.uidMap}. */
  readonly hostUidMap?: boolean;
  readonly hostGidMap?: boolean;
  readonly uidMap?: readonly IdMap[];
  readonly gidMap?: readonly IdMap[];
}

/** Id maps as a command line has them; see {@link readIdMapRequest}. */
export interface IdMapTexts {
  readonly hostUidMap?: boolean;
  readonly hostGidMap?: boolean;
  /** `container:host:size[:…]` */
  readonly uidMap?: string;
  readonly gidMap?: string;
  /** A user of `/etc/subuid`; one of the two stands for both. */
  readonly subUidMap?: string;
  readonly subGidMap?: string;
}

/**
 * Reads the map options of a command line.
 *
 * @throws {StorageError} `ID_MAP_INVALID`, `SUBIDS_UNKNOWN`
 */
export function readIdMapRequest(texts: IdMapTexts): IdMapRequest {
  const { hostUidMap = false, hostGidMap = false, subUidMap = '', subGidMap = '' } = texts;
  if (hostUidMap && subUidMap !== '') throw both('uid', 'UID');
  if (hostGidMap && subGidMap !== '') throw both('gid', 'GID');
  const user = subUidMap === '' ? subGidMap : subUidMap;
  const group = subGidMap === '' ? subUidMap : subGidMap;
  const subordinate: IdMapLists = user === '' ? { uidMap: [], gidMap: [] } : subordinateMaps(user, group);
  const request = {
    hostUidMap,
    hostGidMap,
    uidMap: [...subordinate.uidMap, ...parseIdMapTriples(texts.uidMap ?? '', 'uid')],
    gidMap: [...subordinate.gidMap, ...parseIdMapTriples(texts.gidMap ?? '', 'gid')],
  };
  checkIdMapRequest(request);
  return request;
}

/** @throws {StorageError} `ID_MAP_INVALID` for a request of maps and of none */
export function checkIdMapRequest({ hostUidMap, hostGidMap, uidMap = [], gidMap = [] }: IdMapRequest): void {
  if (hostUidMap === true && uidMap.length > 0) throw both('uid', 'UID');
  if (hostGidMap === true && gidMap.length > 0) throw both('gid', 'GID');
}

/** Whether a request says anything about ids. */
export function asksForIdMaps({ hostUidMap, hostGidMap, uidMap = [], gidMap = [] }: IdMapRequest): boolean {
  return hostUidMap === true || hostGidMap === true || uidMap.length > 0 || gidMap.length > 0;
}

/**
 * The maps of a new layer: the requested ones, none for ids as in the host, else the inherited ones.
 *
 * @param inherited of the parent layer, or the store's default for a base layer
 * @throws {StorageError} `ID_MAP_INVALID`
 */
export function resolveIdMaps(request: IdMapRequest, inherited: IdMapLists): IdMappings {
  checkIdMapRequest(request);
  const choose = (host: boolean | undefined, wanted: readonly IdMap[] = [], other: readonly IdMap[]) =>
    host === true || wanted.length > 0 ? wanted : other;
  return new IdMappings(
    choose(request.hostUidMap, request.uidMap, inherited.uidMap),
    choose(request.hostGidMap, request.gidMap, inherited.gidMap),
  );
}

/**
 * Refuses maps of which two ranges share an id, inside or in the host: a kernel refuses them too, but only
 * when the container is started.
 *
 * @throws {StorageError} `INVALID_MAPPINGS`
 */
export function refuseOverlaps({ uidMap, gidMap }: IdMapLists): void {
  const conflicts = [...overlapping(uidMap), ...overlapping(gidMap)].map(
    ({ containerId, hostId, size }) => `${containerId}:${hostId}:${size}`,
  );
  if (conflicts.length === 0) return;
  const [which, verb] = conflicts.length === 1 ? ['mapping', 'conflicts'] : ['mappings', 'conflict'];
  throw new StorageError(
    'INVALID_MAPPINGS',
    `the specified UID and/or GID ${which} ${conflicts.join(', ')} ${verb} with other mappings: invalid mappings specified`,
    { object: conflicts.join(', '), hint: 'give ranges that have no id in common' },
  );
}

function overlapping(maps: readonly IdMap[]): IdMap[] {
  return maps.filter((map, i) => maps.slice(0, i).some((earlier) => overlap(map, earlier)));
}

function overlap(one: IdMap, other: IdMap): boolean {
  const meet = (start: number, otherStart: number) =>
    start < otherStart + other.size && otherStart < start + one.size;
  return meet(one.containerId, other.containerId) || meet(one.hostId, other.hostId);
}

function both(kind: 'uid' | 'gid', ids: 'UID' | 'GID'): StorageError {
  return new StorageError('ID_MAP_INVALID', `host ${kind} map specified along with ${ids} mapping`, {
    object: kind,
    hint: 'ask for one of the two',
  });
}
