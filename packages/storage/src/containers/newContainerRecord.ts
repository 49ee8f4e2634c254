import type { ContainerRecord } from '../records/containerRecord.ts';
import { nowGoTime } from '../records/goTime.ts';
import type { CreateContainerRequest } from './createContainer.ts';

export interface NewContainerFacts {
  readonly request: CreateContainerRequest;
  readonly id: string;
  readonly names: readonly string[];
  /** Full id, or empty. */
  readonly image: string;
  readonly layer: string;
  readonly volatile: boolean;
}

/** The record of a container made now. It has the maps that were asked for, whatever its layer has. */
export function newContainerRecord(facts: NewContainerFacts): ContainerRecord {
  const { request, id, names, image, layer, volatile } = facts;
  const { metadata, mountOptions = [], labels, uidMap = [], gidMap = [], flags } = request;
  return {
    id,
    names,
    image,
    layer,
    ...(metadata === undefined ? {} : { metadata }),
    bigDataNames: [],
    bigDataSizes: {},
    bigDataDigests: {},
    created: nowGoTime(),
    uidMap,
    gidMap,
    flags: {
      ...flags,
      MountLabel: labels?.mount ?? '',
      ProcessLabel: labels?.process ?? '',
      ...(mountOptions.length === 0 ? {} : { MountOpts: [...mountOptions] }),
      ...(volatile ? { Volatile: true } : {}),
    },
    unknown: {},
  };
}
