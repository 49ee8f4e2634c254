import { existsSync } from 'node:fs';
import type { Blobs, BlobUsage, KeepPolicy } from '../blobs/blobs.ts';
import { StoreBlobs } from '../blobs/storeBlobs.ts';
import type { CheckOptions, CheckReport } from '../check/checkReport.ts';
import type { RepairOptions, RepairResult } from '../check/repairResult.ts';
import type { EffectiveSetting, StorageConf } from '../conf/storageConf.ts';
import { type Containers, StoreContainers } from '../containers/containers.ts';
import type { CopyRequest } from '../copy/copyPaths.ts';
import type { DedupOptions, DedupResult } from '../dedup/dedupOptions.ts';
import type { Durability } from '../durability/durability.ts';
import { type Images, StoreImages } from '../images/images.ts';
import { type MountImageOptions, mountImage, unmountImage } from '../images/mountImage.ts';
import { locateLayer } from '../layers/findLayer.ts';
import { type Layers, StoreLayers } from '../layers/layers.ts';
import { mountCount, mountLayer, unmountLayer } from '../layers/mountLayer.ts';
import { OpenStoreObjects, type StoreObjects } from '../objects/objects.ts';
import type { TemporaryFile } from '../staging/temporaryFile.ts';
import type { Garbage } from './collectGarbage.ts';
import { effectiveSettings } from './effectiveSettings.ts';
import { mountableLayer, mountTarget } from './mountTarget.ts';
import type { ShutDownOptions } from './shutDown.ts';
import type { AccessMode, StoreContext } from './storeContext.ts';
import { openStoreTemporaryFile } from './storeTemporaryFile.ts';

export interface MountRequest {
  /** Mount options instead of those of the container or the driver. */
  readonly options?: readonly string[];
  /** SELinux context of all files in the mount, instead of the layer's. */
  readonly label?: string;
  readonly readOnly?: boolean;
}

/** Facts about an open store. */
export interface StoreInfo {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly driver: string;
  /** Rows as `podman info` shows them: `Backing Filesystem`, `Supports d_type`, … */
  readonly driverStatus: readonly (readonly [string, string])[];
  readonly access: AccessMode;
  /** Root of its own for images and their layers, if there is one. */
  readonly imageStore?: string;
  /** Roots of the stores that are only read, in the order of looking. */
  readonly additionalImageStores: readonly string[];
  /** Whether records of containers end with the next boot. */
  readonly transientStore: boolean;
  /** Driver options in force, as `key=value`. */
  readonly driverOptions: readonly string[];
  readonly configFiles: readonly string[];
  /** Each effective key of storage.conf with its value and where it came from. */
  readonly settings: readonly EffectiveSetting[];
  /** Of all stores; what is in several counts several times, as in listings. */
  readonly counts: { readonly layers: number; readonly images: number; readonly containers: number };
  /** {@link Store.durability} */
  readonly durability: Store['durability'];
  /** What blobs that are kept as they came take on disk, and which are kept. */
  readonly keptBlobs: BlobUsage & { readonly policy: KeepPolicy };
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
  /** What a crash of the host may cost, and where that was said: `option`, `default`, a file or a variable. */
  readonly durability: { readonly policy: Durability; readonly source: string };
  readonly layers: Layers;
  readonly images: Images;
  readonly containers: Containers;
  /** Layers, images and containers alike, by a text that does not say what it names. */
  readonly objects: StoreObjects;
  /** Blobs that are kept as they came; see {@link Blobs}. */
  readonly blobs: Blobs;
  /**
   * Mounts a container (by id or name) or a layer, counted together with other programs' mounts.
   * Returns the directory that shows the merged file system.
   * @throws {StorageError} `CONTAINER_UNKNOWN`, `MOUNT_FAILED`; `STORE_READ_ONLY` also for a layer of an
   *   additional store
   */
  mount(idOrName: string, options?: MountRequest): Promise<string>;
  /**
   * Takes one mount back, or all of them with `force`; returns whether it is still mounted.
   * @throws {StorageError} `CONTAINER_UNKNOWN`, `LAYER_NOT_MOUNTED`
   */
  unmount(idOrName: string, options?: { force?: boolean }): Promise<boolean>;
  /**
   * How often a container or layer is mounted now; 0 if it is not.
   * @throws {StorageError} `CONTAINER_UNKNOWN`
   */
  mounted(idOrName: string): Promise<number>;
  /** Mounts an image, read-only; see {@link mountImage}. */
  mountImage(idOrName: string, options?: MountImageOptions): Promise<string>;
  /** Takes back what {@link Store.mountImage} did; see {@link unmountImage}. */
  unmountImage(idOrName: string, options?: { force?: boolean }): Promise<boolean>;
  /**
   * Copies files and directories into a layer, out of one, or between layers; see {@link copyPaths}.
   * @throws {StorageError} `LAYER_UNKNOWN`, `MOUNT_FAILED`, `COPY_FAILED`, `NO_SPACE`
   */
  copy(request: CopyRequest): Promise<void>;
  /** Layers that are mounted now, with mount point and count. */
  mounts(): Promise<readonly { readonly layer: string; readonly path: string; readonly count: number }[]>;
  info(): Promise<StoreInfo>;
  /**
   * An empty file, without a name where the system allows it, for a temporary copy of what is to be imported: on the
   * disk that must have room for the layers anyway. The caller closes it, and it is gone then.
   * @throws {StorageError} `STORE_CLOSED`; `STORE_READ_ONLY` or its like for a snapshot; `NO_SPACE`, `IO`
   */
  openTemporaryFile(): Promise<TemporaryFile>;
  /**
   * Gives back what the driver keeps for the host; see {@link shutDown}.
   * @throws {StorageError} `LAYERS_MOUNTED`, also when `force` has unmounted them
   */
  shutdown(options?: ShutDownOptions): Promise<void>;
  /** Deletes all containers, images and layers; see {@link wipeStore}. */
  wipe(): Promise<void>;
  /** Removes files that no record accounts for; see {@link collectGarbage}. */
  collectGarbage(): Promise<Garbage>;
  /**
   * Looks for damage and for what nothing uses; changes nothing; see {@link checkStore}.
   * @throws {StorageError} `ABORTED`, and what keeps this host from looking
   */
  check(options?: CheckOptions): Promise<CheckReport>;
  /** Removes what a check found, and what stands on it; see {@link repairStore}. */
  repair(report: CheckReport, options?: RepairOptions): Promise<RepairResult>;
  /**
   * Lets equal files of image layers share their blocks; see {@link dedupStore}.
   * @throws {StorageError} `NOT_SUPPORTED` where the file system has no reflinks; `ABORTED`
   */
  dedup(options?: DedupOptions): Promise<DedupResult>;
  /**
   * Aborts what is being unpacked, waits for other operations that change the store, ends the unpack
   * workers and lets go of all files. Closing twice is fine.
   */
  close(): Promise<void>;
}

/** What is seldom done to a store as a whole is loaded when it is done. */
export class OpenStore implements Store {
  readonly layers: Layers;
  readonly images: Images;
  readonly containers: Containers;
  readonly objects: StoreObjects;
  readonly blobs: Blobs;
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
    this.blobs = new StoreBlobs(context);
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
  get durability(): Store['durability'] {
    const { policy, source } = this.#context.disk;
    return { policy, source };
  }

  async openTemporaryFile(): Promise<TemporaryFile> {
    return await openStoreTemporaryFile(this.#context);
  }

  async mount(idOrName: string, request: MountRequest = {}): Promise<string> {
    return await this.#context.change(async () => {
      const { layerId, options } = await mountTarget(this.#context, idOrName);
      const { options: own, label, readOnly } = request;
      return await mountLayer(this.#context, (view) => mountableLayer(view, layerId), {
        ...options,
        ...(own === undefined ? {} : { options: own }),
        ...(label === undefined ? {} : { mountLabel: label }),
        ...(readOnly === undefined ? {} : { readOnly }),
        volatile: options.volatile === true && !this.#conf.disableVolatile,
      });
    });
  }

  async unmount(idOrName: string, options: { force?: boolean } = {}): Promise<boolean> {
    return await this.#context.change(async () => {
      const { layerId } = await mountTarget(this.#context, idOrName);
      return await unmountLayer(this.#context, (view) => locateLayer(view, layerId).record, options);
    });
  }

  async mounted(idOrName: string): Promise<number> {
    const { layerId } = await mountTarget(this.#context, idOrName);
    return await mountCount(this.#context, layerId);
  }

  async mountImage(idOrName: string, options: MountImageOptions = {}): Promise<string> {
    return await this.#context.change(() => mountImage(this.#context, idOrName, options));
  }

  async unmountImage(idOrName: string, options: { force?: boolean } = {}): Promise<boolean> {
    return await this.#context.change(() => unmountImage(this.#context, idOrName, options));
  }

  async copy(request: CopyRequest): Promise<void> {
    await this.#context.change(async () => {
      const { copyPaths } = await import('../copy/copyPaths.ts');
      await copyPaths(this.#context, request);
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
      ...(paths.imageStore === undefined ? {} : { imageStore: paths.imageStore }),
      additionalImageStores: layers.additionalRoots,
      transientStore: paths.transient,
      driverOptions: this.#conf.driverOptions,
      configFiles: this.#conf.files,
      settings: effectiveSettings(this.#conf, driver.name),
      counts: {
        layers: await layers.read((view) => view.everywhere().length),
        images: await images.read((view) => view.everywhere().length),
        containers: await containers.read((view) => view.all().length),
      },
      durability: this.durability,
      keptBlobs: await this.#keptBlobs(),
    };
  }

  /** Loads nothing where Sediment has left nothing. */
  async #keptBlobs(): Promise<StoreInfo['keptBlobs']> {
    if (!existsSync(this.#context.paths.sedimentRoot))
      return { policy: 'none', blobs: 0, bytes: 0, pinned: 0 };
    return { policy: await this.blobs.policy(), ...(await this.blobs.usage()) };
  }

  async shutdown(options: ShutDownOptions = {}): Promise<void> {
    await this.#context.change(async () => {
      const { shutDown } = await import('./shutDown.ts');
      await shutDown(this.#context, options);
    });
  }

  async wipe(): Promise<void> {
    await this.#context.change(async () => {
      const { wipeStore } = await import('./wipeStore.ts');
      await wipeStore(this.#context);
    });
  }

  async collectGarbage(): Promise<Garbage> {
    return await this.#context.change(async () => {
      const { collectGarbage } = await import('./collectGarbage.ts');
      return await collectGarbage(this.#context);
    });
  }

  async check(options: CheckOptions = {}): Promise<CheckReport> {
    const { checkStore } = await import('../check/checkStore.ts');
    return await checkStore(this.#context, options);
  }

  async repair(report: CheckReport, options: RepairOptions = {}): Promise<RepairResult> {
    const { layers, images, containers } = this;
    const context = this.#context;
    return await context.change(async () => {
      const { repairStore } = await import('../check/repairStore.ts');
      return await repairStore({ context, layers, images, containers }, report, options);
    });
  }

  async dedup(options: DedupOptions = {}): Promise<DedupResult> {
    return await this.#context.change(async () => {
      const { dedupStore } = await import('../dedup/dedupStore.ts');
      return await dedupStore(this.#context, options);
    });
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
