import type { ContainerRecord } from '../records/containerRecord.ts';

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
  readonly created: string;
  readonly flags: Readonly<Record<string, unknown>>;
}

export function containerInfo(record: ContainerRecord): ContainerInfo {
  const { id, names, image, layer, metadata, created, flags } = record;
  return {
    id,
    names: [...names],
    image,
    layer,
    ...(metadata === undefined ? {} : { metadata }),
    created,
    flags: { ...flags },
  };
}
