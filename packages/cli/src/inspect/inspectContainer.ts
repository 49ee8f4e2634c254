import type { ContainerInfo, Store } from '@sediment/storage';
import { type GraphDriver, graphDriver } from './graphDriver.ts';

/** A container as `sediment inspect` prints it, in the words of `podman inspect`. */
export interface ContainerInspection {
  readonly Id: string;
  readonly Created: string;
  /** Id of the image. */
  readonly Image: string;
  readonly ImageName: string;
  readonly Name: string;
  readonly Names: readonly string[];
  /** Id of the writable layer. */
  readonly Layer: string;
  readonly MountLabel: string;
  readonly ProcessLabel: string;
  readonly GraphDriver: GraphDriver;
  /** Text of the engine that made the container. */
  readonly Metadata: string;
}

export async function inspectContainer(store: Store, container: ContainerInfo): Promise<ContainerInspection> {
  const image = (await store.images.list()).find(({ id }) => id === container.image);
  const { MountLabel, ProcessLabel } = container.flags;
  return {
    Id: container.id,
    Created: container.created,
    Image: container.image,
    ImageName: image?.names[0] ?? '',
    Name: container.names[0] ?? '',
    Names: container.names,
    Layer: container.layer,
    MountLabel: String(MountLabel ?? ''),
    ProcessLabel: String(ProcessLabel ?? ''),
    GraphDriver: await graphDriver(store, container.layer),
    Metadata: container.metadata ?? '',
  };
}
