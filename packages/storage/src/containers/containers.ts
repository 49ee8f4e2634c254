import type { Digest } from '@sediment/core';
import type { ParentOwners } from '../idmaps/parentOwners.ts';
import { layerParentOwners } from '../layers/layerParentOwners.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { StorePaths } from '../store/storePaths.ts';
import { makeUserDirectory } from '../store/userDirectory.ts';
import { readContainerFile, writeContainerFile } from './containerFiles.ts';
import { type ContainerInfo, containerInfo } from './containerInfo.ts';
import { containerItemFact, readContainerItem, setContainerItem } from './containerItems.ts';
import { type CreateContainerRequest, createContainer } from './createContainer.ts';
import { deleteContainer } from './deleteContainer.ts';
import { findContainer } from './findContainer.ts';

/**
 * The containers of a store, whichever program made them. A container is named by its id, a name, the id of
 * its layer, or a unique id prefix; every method that takes one throws `CONTAINER_UNKNOWN`.
 */
export interface Containers {
  list(): Promise<readonly ContainerInfo[]>;
  get(idOrName: string): Promise<ContainerInfo>;
  /** Makes a container on an image, or an empty one; see {@link createContainer}. */
  create(request: CreateContainerRequest): Promise<ContainerInfo>;
  /** A document kept with the container. @throws {StorageError} `BIG_DATA_UNKNOWN`, `BIG_DATA_NAME_INVALID` */
  bigData(idOrName: string, key: string): Promise<Buffer>;
  /** The keys of the documents, in the order in which they were first set. */
  bigDataNames(idOrName: string): Promise<readonly string[]>;
  /** Bytes of a document; noted, if they were not. @throws {StorageError} `SIZE_UNKNOWN` */
  bigDataSize(idOrName: string, key: string): Promise<number>;
  /** The sha256 of a document; noted, if it was not. @throws {StorageError} `DIGEST_UNKNOWN` */
  bigDataDigest(idOrName: string, key: string): Promise<Digest>;
  /** Sets a document, new or known. @throws {StorageError} `BIG_DATA_NAME_INVALID` */
  setBigData(idOrName: string, key: string, bytes: Uint8Array): Promise<void>;
  /** The engine's own directory, which goes when the container is deleted; made if missing. */
  directory(idOrName: string): Promise<string>;
  /** Like {@link directory}, for what need not survive a restart. */
  runDirectory(idOrName: string): Promise<string>;
  /**
   * A file of {@link directory}.
   *
   * @param file its path, relative to the directory and inside of it (else a `RangeError`)
   * @throws {StorageError} `IO`; when there is no such file, its `errnoCode` is `ENOENT`
   */
  file(idOrName: string, file: string): Promise<Buffer>;
  /** Writes a file of {@link directory} as a whole, mode 0600. */
  setFile(idOrName: string, file: string, bytes: Uint8Array): Promise<void>;
  /** Like {@link file}, in {@link runDirectory}. */
  runFile(idOrName: string, file: string): Promise<Buffer>;
  /** Like {@link setFile}, in {@link runDirectory}. */
  setRunFile(idOrName: string, file: string, bytes: Uint8Array): Promise<void>;
  /**
   * Bytes of the container: what it changed in its layer, its documents, and what is in its two directories.
   * @throws {StorageError} `LAYER_UNKNOWN`, `SIZE_UNKNOWN`
   */
  size(idOrName: string): Promise<number>;
  /**
   * Owners of the directories above the mount point that the layer's id maps cannot express.
   * @throws {StorageError} `LAYER_UNKNOWN`, `LAYER_NOT_MOUNTED`
   */
  parentOwners(idOrName: string): Promise<ParentOwners>;
  /** Deletes a container and its layer, unmounting it if need be. */
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
    return await this.#read(idOrName, containerInfo);
  }

  async create(request: CreateContainerRequest): Promise<ContainerInfo> {
    return await this.#context.change(() => createContainer(this.#context, request));
  }

  async bigData(idOrName: string, key: string): Promise<Buffer> {
    return await this.#read(idOrName, (container, paths) => readContainerItem(paths, container, key));
  }

  async bigDataNames(idOrName: string): Promise<readonly string[]> {
    return await this.#read(idOrName, ({ bigDataNames }) => [...bigDataNames]);
  }

  async bigDataSize(idOrName: string, key: string): Promise<number> {
    return await containerItemFact(this.#context, idOrName, { name: key, fact: 'size' });
  }

  async bigDataDigest(idOrName: string, key: string): Promise<Digest> {
    return await containerItemFact(this.#context, idOrName, { name: key, fact: 'digest' });
  }

  async setBigData(idOrName: string, key: string, bytes: Uint8Array): Promise<void> {
    const { containers } = this.#context;
    await this.#context.change(() =>
      containers.write(async (writer) => {
        await setContainerItem(writer, findContainer(writer, idOrName), { name: key, bytes });
      }),
    );
  }

  async directory(idOrName: string): Promise<string> {
    return await this.#userDirectory(idOrName, (paths, id) => paths.containerData(id));
  }

  async runDirectory(idOrName: string): Promise<string> {
    return await this.#userDirectory(idOrName, (paths, id) => paths.containerRun(id));
  }

  async file(idOrName: string, file: string): Promise<Buffer> {
    return readContainerFile(await this.directory(idOrName), file);
  }

  async setFile(idOrName: string, file: string, bytes: Uint8Array): Promise<void> {
    const { disk } = this.#context;
    await writeContainerFile(await this.directory(idOrName), file, { bytes, disk });
  }

  async runFile(idOrName: string, file: string): Promise<Buffer> {
    return readContainerFile(await this.runDirectory(idOrName), file);
  }

  async setRunFile(idOrName: string, file: string, bytes: Uint8Array): Promise<void> {
    const { disk } = this.#context;
    await writeContainerFile(await this.runDirectory(idOrName), file, { bytes, disk });
  }

  async size(idOrName: string): Promise<number> {
    const { containerSize } = await import('./containerSize.ts');
    return await containerSize(this.#context, idOrName);
  }

  async parentOwners(idOrName: string): Promise<ParentOwners> {
    return await this.#context.layers.read(async (layers) => {
      const id = await this.#read(idOrName, ({ layer }) => layer);
      return await layerParentOwners(this.#context, layers, id);
    });
  }

  async delete(idOrName: string): Promise<void> {
    await this.#context.change(() => deleteContainer(this.#context, idOrName));
  }

  async #read<T>(idOrName: string, fn: (container: ContainerRecord, paths: StorePaths) => T): Promise<T> {
    return await this.#context.containers.read((view) => fn(findContainer(view, idOrName), view.paths));
  }

  async #userDirectory(idOrName: string, of: (paths: StorePaths, id: string) => string): Promise<string> {
    return await this.#context.change(() =>
      this.#read(idOrName, ({ id }, paths) => makeUserDirectory(of(paths, id), `container ${id}`)),
    );
  }
}
