import { type ItemInfo, itemInfos } from '../items/itemRecord.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { IdMap } from '../records/idMap.ts';

/** A container as it was when asked for: a read-write layer on top of an image. */
export interface ContainerInfo {
  readonly id: string;
  readonly names: readonly string[];
  /** Id of the image, or `''` for a container without one. */
  readonly image: string;
  /** Id of the read-write layer. */
  readonly layer: string;
  /** Opaque text of the engine that owns the container. */
  readonly metadata?: string;
  /** The documents kept with the container. */
  readonly bigData: readonly ItemInfo[];
  /** RFC 3339. */
  readonly created: string;
  /** The id maps that were asked for, or chosen for it; empty for those of the image. */
  readonly uidMap: readonly IdMap[];
  readonly gidMap: readonly IdMap[];
  /** Whether a crash of the host may cost the container; it is then mounted without syncs. */
  readonly volatile: boolean;
  /** `MountLabel`, `ProcessLabel`, `MountOpts`, `Volatile`, and those of the engine. */
  readonly flags: Readonly<Record<string, unknown>>;
}

export function containerInfo(record: ContainerRecord): ContainerInfo {
  const { id, names, image, layer, metadata, created, uidMap, gidMap, flags } = record;
  return {
    id,
    names: [...names],
    image,
    layer,
    ...(metadata === undefined ? {} : { metadata }),
    bigData: itemInfos(record),
    created,
    uidMap: uidMap.map(plainMap),
    gidMap: gidMap.map(plainMap),
    volatile: flags.Volatile === true,
    flags: { ...flags },
  };
}

function plainMap({ containerId, hostId, size }: IdMap): IdMap {
  return { containerId, hostId, size };
}
