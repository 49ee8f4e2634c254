/** A range of ids: `size` ids from `containerId` on are `hostId` and following in the host. */
export interface IdMap {
  readonly containerId: number;
  readonly hostId: number;
  readonly size: number;
  /** Keys this version does not know, written back as they were. */
  readonly unknown?: Readonly<Record<string, unknown>>;
}

interface IdMapJson {
  readonly container_id: number;
  readonly host_id: number;
  readonly size: number;
  readonly [key: string]: unknown;
}

const NO_MAPS: readonly IdMap[] = Object.freeze([]);

export function idMapsFromJson(maps: readonly IdMapJson[]): readonly IdMap[] {
  if (maps.length === 0) return NO_MAPS;
  return maps.map(({ container_id: containerId, host_id: hostId, size, ...unknown }) => ({
    containerId,
    hostId,
    size,
    ...(Object.keys(unknown).length === 0 ? {} : { unknown }),
  }));
}

/** JSON form of id maps: always all three numbers, in this order. */
export function idMapsToJson(maps: readonly IdMap[]): IdMapJson[] {
  return maps.map(({ containerId, hostId, size, unknown }) => ({
    ...{ container_id: containerId, host_id: hostId, size },
    ...unknown,
  }));
}
