import type { EffectiveSetting, StorageConf } from '../conf/storageConf.ts';
import { type Containers, StoreContainers } from '../containers/containers.ts';
import { findContainer } from '../containers/findContainer.ts';
import { type Images, StoreImages } from '../images/images.ts';
import { findLayer } from '../layers/findLayer.ts';
import { type Layers, StoreLayers } from '../layers/layers.ts';
import { mountLayer, unmountLayer } from '../layers/mountLayer.ts';
import { OpenStoreObjects, type StoreObjects } from '../objects/objects.ts';
import { effectiveSettings } from './effectiveSettings.ts';
import type { AccessMode, StoreContext } from './storeContext.ts';

/** Facts about an open store. */
export interface StoreInfo {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly driver: string;
  /** Rows as `podman info` shows them: `Backing Filesystem`, `Supports d_type`, … */
  readonly driverStatus: readonly (readonly [string, string])[];
  readonly access: AccessMode;
  readonly configFiles: readonly string[];
  /** Each effective key of storage.conf with its value and where it came from. */
  readonly settings: readonly EffectiveSetting[];
  readonly counts: { readonly layers: number; readonly images: number; readonly containers: number };
}

/**
 * An open store. Collections hand out snapshots; all methods may be called concurrently, and from
 * several processes. Close it to end its unpack workers; mounts stay until they are unmounted.
 */
export interface Store extends AsyncDisposable {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly driver: string;
  readonly access: AccessMode;
  readonly layers: Layers;
  readonly images: Images;
  readonly containers: Containers;
  /** Layers, images and containers alike, by a text that does not say what it names. */
  readonly objects: StoreObjects;
  /**
   * Mounts a container (by id or name) or a layer, counted together with other programs' mounts.
   * Returns the directory that shows the merged file system.
   * @throws {StorageError} `CONTAINER_UNKNOWN`, `MOUNT_FAILED`, `STORE_READ_ONLY`
   */
  mount(idOrName: string): Promise<string>;
  /**
   * Takes one mount back, or all of them with `force`; returns whether it is still mounted.
   * @throws {StorageError} `CONTAINER_UNKNOWN`, `LAYER_NOT_MOUNTED`
   */
  unmount(idOrName: string, options?: { force?: boolean }): Promise<boolean>;
  /** Layers that are mounted now, with mount point and count. */
  mounts(): Promise<readonly { readonly layer: string; readonly path: string; readonly count: number }[]>;
  info(): Promise<StoreInfo>;
  /**
   * Aborts what is being unpacked, waits for other operations that change the store, ends the unpack
   * workers and lets go of all files. Closing twice is fine.
   */
  close(): Promise<void>;
}

export class OpenStore implements Store {
  readonly layers: Layers;
  readonly images: Images;
  readonly containers: Containers;
  readonly objects: StoreObjects;
  readonly #context: StoreContext;
  readonly #conf: StorageConf;
  readonly #close: () => Promise<void>;

  constructor(context: StoreContext, conf: StorageConf, close: () => Promise<void>) {
    this.#context = context;
    this.#conf = conf;
    this.#close = close;
    this.layers = new StoreLayers(context);
    this.images = new StoreImages(context);
    this.containers = new StoreContainers(context);
    this.objects = new OpenStoreObjects(context);
  }

  get graphRoot(): string {
    return this.#context.paths.graphRoot;
  }
  get runRoot(): string {
    return this.#context.paths.runRoot;
  }
  get driver(): string {
    return this.#context.driver.name;
  }
  get access(): AccessMode {
    return this.#context.access;
  }

  async mount(idOrName: string): Promise<string> {
    return await this.#context.change(async () => {
      const { layerId, options } = await this.#mountTarget(idOrName);
      return await mountLayer(this.#context, (view) => findLayer(view, layerId), options);
    });
  }

  async unmount(idOrName: string, options: { force?: boolean } = {}): Promise<boolean> {
    return await this.#context.change(async () => {
      const { layerId } = await this.#mountTarget(idOrName);
      return await unmountLayer(this.#context, (view) => findLayer(view, layerId), options);
    });
  }

  async mounts(): Promise<
    readonly { readonly layer: string; readonly path: string; readonly count: number }[]
  > {
    const records = await this.#context.mountCounts.list();
    const mounted = records.filter(({ path }) => this.#context.driver.isMounted(path));
    return mounted.map(({ id, path, count }) => ({ layer: id, path, count }));
  }

  async info(): Promise<StoreInfo> {
    const { paths, driver, access, layers, images, containers } = this.#context;
    return {
      graphRoot: paths.graphRoot,
      runRoot: paths.runRoot,
      driver: driver.name,
      driverStatus: driver.status(),
      access,
      configFiles: this.#conf.files,
      settings: effectiveSettings(this.#conf, driver.name),
      counts: {
        layers: await layers.read((view) => view.all().length),
        images: await images.read((view) => view.all().length),
        containers: await containers.read((view) => view.all().length),
      },
    };
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A container by id or name, or a layer by full id; the container's mount options come with it. */
  async #mountTarget(idOrName: string): Promise<{ layerId: string; options: { options?: string[] } }> {
    const isLayer = await this.#context.layers.read((view) => view.byId(idOrName) !== undefined);
    return await this.#context.containers.read((view) => {
      if (isLayer && !view.all().some((container) => container.layer === idOrName)) {
        return { layerId: idOrName, options: {} };
      }
      const { layer, flags } = findContainer(view, idOrName);
      const options = flags.MountOpts;
      return { layerId: layer, options: Array.isArray(options) ? { options: options.map(String) } : {} };
    });
  }
}
