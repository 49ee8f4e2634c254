import type { StoreContext } from '../store/storeContext.ts';
import { type ContainerInfo, containerInfo } from './containerInfo.ts';
import { type CreateContainerRequest, createContainer } from './createContainer.ts';
import { deleteContainer } from './deleteContainer.ts';
import { findContainer } from './findContainer.ts';

/** The containers of a store, whichever program made them. */
export interface Containers {
  list(): Promise<readonly ContainerInfo[]>;
  /**
   * By id, name, id of its layer, or unique id prefix.
   * @throws {StorageError} `CONTAINER_UNKNOWN`
   */
  get(idOrName: string): Promise<ContainerInfo>;
  /** Makes a container on an image; see {@link createContainer}. */
  create(request: CreateContainerRequest): Promise<ContainerInfo>;
  /**
   * Deletes a container and its layer, unmounting it if need be.
   * @throws {StorageError} `CONTAINER_UNKNOWN`
   */
  delete(idOrName: string): Promise<void>;
}

export class StoreContainers implements Containers {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async list(): Promise<readonly ContainerInfo[]> {
    return await this.#context.containers.read((view) => view.all().map(containerInfo));
  }

  async get(idOrName: string): Promise<ContainerInfo> {
    return await this.#context.containers.read((view) => containerInfo(findContainer(view, idOrName)));
  }

  async create(request: CreateContainerRequest): Promise<ContainerInfo> {
    return await this.#context.change(() => createContainer(this.#context, request));
  }

  async delete(idOrName: string): Promise<void> {
    await this.#context.change(() => deleteContainer(this.#context, idOrName));
  }
}
