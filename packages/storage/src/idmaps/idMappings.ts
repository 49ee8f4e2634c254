import { StorageError } from '@sediment/core';
import type { IdMap } from '../records/idMap.ts';

/** The numeric owner of a file. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Id maps as records and requests hold them; an empty list maps nothing to anything else. */
export interface IdMapLists {
  readonly uidMap: readonly IdMap[];
  readonly gidMap: readonly IdMap[];
}

/** Who owns files whose owner has no place in a mapping (`/proc/sys/kernel/overflowuid`). */
const OVERFLOW_ID = 65534;

/**
 * Translates owners between a container and its host. Where a kind of id has no maps, the numbers are the
 * same on both sides. (containers/storage: `pkg/idtools`, `IDMappings`.)
 */
export class IdMappings {
  readonly uidMap: readonly IdMap[];
  readonly gidMap: readonly IdMap[];

  constructor(uidMap: readonly IdMap[] = [], gidMap: readonly IdMap[] = []) {
    this.uidMap = uidMap;
    this.gidMap = gidMap;
  }

  static of({ uidMap, gidMap }: IdMapLists): IdMappings {
    return new IdMappings(uidMap, gidMap);
  }

  /** Whether all ids stay as they are. */
  get isEmpty(): boolean {
    return this.uidMap.length === 0 && this.gidMap.length === 0;
  }

  equals(other: IdMapLists): boolean {
    return sameIdMaps(this.uidMap, other.uidMap) && sameIdMaps(this.gidMap, other.gidMap);
  }

  /** @throws {StorageError} `ID_UNMAPPED` for an id that the maps do not have */
  toHost({ uid, gid }: Owner): Owner {
    return {
      uid: hostId(uid, this.uidMap) ?? unmapped('container', uid, 'host'),
      gid: hostId(gid, this.gidMap) ?? unmapped('container', gid, 'host'),
    };
  }

  /** {@link toHost}; nobody owns what the maps do not have. */
  toHostOrNobody({ uid, gid }: Owner): Owner {
    return {
      uid: hostId(uid, this.uidMap) ?? OVERFLOW_ID,
      gid: hostId(gid, this.gidMap) ?? OVERFLOW_ID,
    };
  }

  /** @throws {StorageError} `ID_UNMAPPED` for an id that the maps do not have */
  toContainer({ uid, gid }: Owner): Owner {
    return {
      uid: containerId(uid, this.uidMap) ?? unmapped('host', uid, 'container'),
      gid: containerId(gid, this.gidMap) ?? unmapped('host', gid, 'container'),
    };
  }

  /** {@link toContainer}, or undefined when one of the ids has no place in the container. */
  findContainer({ uid, gid }: Owner): Owner | undefined {
    const found = { uid: containerId(uid, this.uidMap), gid: containerId(gid, this.gidMap) };
    return found.uid === undefined || found.gid === undefined ? undefined : (found as Owner);
  }

  /**
   * Host ids of the container's root.
   *
   * @throws {StorageError} `ID_UNMAPPED` when the maps have no root
   */
  rootPair(): Owner {
    return { uid: rootOf(this.uidMap), gid: rootOf(this.gidMap) };
  }
}

/** The mapping that changes nothing. */
export const NO_MAPPINGS = new IdMappings();

export function sameIdMaps(some: readonly IdMap[], others: readonly IdMap[]): boolean {
  return some.length === others.length && some.every((map, i) => sameRange(map, others[i] as IdMap));
}

function sameRange(one: IdMap, other: IdMap): boolean {
  return one.containerId === other.containerId && one.hostId === other.hostId && one.size === other.size;
}

/** The id in the host; undefined when the maps do not have it. */
export function hostId(id: number, maps: readonly IdMap[]): number | undefined {
  if (maps.length === 0) return id;
  const map = maps.find(({ containerId, size }) => id >= containerId && id < containerId + size);
  return map === undefined ? undefined : map.hostId + (id - map.containerId);
}

/** The id in the container; undefined when the maps do not have it. */
export function containerId(id: number, maps: readonly IdMap[]): number | undefined {
  if (maps.length === 0) return id;
  const map = maps.find((candidate) => id >= candidate.hostId && id < candidate.hostId + candidate.size);
  return map === undefined ? undefined : map.containerId + (id - map.hostId);
}

/** A map of one single id is for programs that run as that id, whatever it is called inside. */
function rootOf(maps: readonly IdMap[]): number {
  const [only] = maps;
  if (maps.length === 1 && only?.size === 1) return only.hostId;
  return hostId(0, maps) ?? unmapped('container', 0, 'host');
}

function unmapped(from: 'container' | 'host', id: number, to: 'container' | 'host'): never {
  throw new StorageError('ID_UNMAPPED', `${from} ID ${id} cannot be mapped to a ${to} ID`, {
    actual: id,
    hint: 'use a mapping that has this id',
  });
}
