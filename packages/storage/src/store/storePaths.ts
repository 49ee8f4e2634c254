import { join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex } from '@sediment/core';
import { bigDataFileName } from '../records/bigDataName.ts';

export interface StorePathOptions {
  /** A root of their own for images and their layers; in the graph root if absent. */
  readonly imageStore?: string | undefined;
  /** Records of containers and of their layers end with the next boot: they lie in the run root. */
  readonly transient?: boolean;
}

/** Where things lie below a graph root and a run root, for one driver. The only place that knows. */
export class StorePaths {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly driver: string;
  readonly imageStore: string | undefined;
  readonly transient: boolean;

  constructor(graphRoot: string, runRoot: string, driver: string, options: StorePathOptions = {}) {
    this.graphRoot = graphRoot;
    this.runRoot = runRoot;
    this.driver = driver;
    this.imageStore = options.imageStore;
    this.transient = options.transient ?? false;
  }

  get storageLock(): string {
    return join(this.graphRoot, 'storage.lock');
  }
  get usernsLock(): string {
    return join(this.graphRoot, 'userns.lock');
  }
  get driverHome(): string {
    return join(this.graphRoot, this.driver);
  }
  get layers(): string {
    return join(this.graphRoot, `${this.driver}-layers`);
  }
  get layersLock(): string {
    return join(this.layers, 'layers.lock');
  }
  /** The driver's home for layers of images. */
  get imageDriverHome(): string {
    return join(this.imageStore ?? this.graphRoot, this.driver);
  }
  /**
   * Where records of image layers lie. All else that is kept of a layer (tar-split, big data) is in
   * {@link StorePaths.layers}, as upstream has it.
   */
  get imageLayers(): string {
    return join(this.imageStore ?? this.graphRoot, `${this.driver}-layers`);
  }
  /** Volatile records of layers, beside the others unless the store is transient. */
  get volatileLayers(): string {
    return this.transient ? this.runLayers : this.layers;
  }
  get images(): string {
    return join(this.imageStore ?? this.graphRoot, `${this.driver}-images`);
  }
  get containers(): string {
    return join(this.graphRoot, `${this.driver}-containers`);
  }
  /** Volatile records of containers and the lock of all containers. */
  get volatileContainers(): string {
    return this.transient ? this.runContainers : this.containers;
  }
  get runLayers(): string {
    return join(this.runRoot, `${this.driver}-layers`);
  }
  get runContainers(): string {
    return join(this.runRoot, `${this.driver}-containers`);
  }
  get mountpoints(): string {
    return join(this.runLayers, 'mountpoints.json');
  }
  get mountpointsLock(): string {
    return join(this.runLayers, 'mountpoints.lock');
  }
  /** Staging of layer metadata (tar-split files, deferred deletion). */
  get layerTemp(): string {
    return join(this.layers, 'tmp');
  }
  /** Staging of layer content; inside the driver home so that a rename commits it. */
  get contentTemp(): string {
    return join(this.driverHome, 'tempdirs');
  }
  /** {@link StorePaths.contentTemp} for layers of images. */
  get imageContentTemp(): string {
    return join(this.imageDriverHome, 'tempdirs');
  }
  /** What is kept in the graph root by Sediment alone; other programs neither see nor need it. */
  get sedimentRoot(): string {
    return join(this.graphRoot, 'sediment');
  }
  /** Temporary copies of what is being imported, and staging of kept blobs. */
  get spool(): string {
    return join(this.sedimentRoot, 'tmp');
  }
  /** What only Sediment uses and may lose at any time. */
  get ownRun(): string {
    return join(this.runRoot, 'sediment');
  }

  /** An OCI image layout: the blobs of images as they came. */
  get keptLayout(): string {
    return join(this.sedimentRoot, 'oci');
  }
  /** What is known about the kept blobs; made anew from the layout if it is lost. */
  get keptIndex(): string {
    return join(this.sedimentRoot, 'index.sqlite');
  }
  /** Guards the layout's list of images, the index, and what is deleted. */
  get keptLock(): string {
    return join(this.sedimentRoot, 'blobs.lock');
  }
  /** One empty file for each blob that stays until it is unpinned. */
  get blobPins(): string {
    return join(this.sedimentRoot, 'pins');
  }
  /** What was set for this store and is no matter of storage.conf. */
  get settings(): string {
    return join(this.sedimentRoot, 'settings.json');
  }

  tarSplit(layerId: string): string {
    return join(this.layers, `${layerId}.tar-split.gz`);
  }
  layerData(layerId: string): string {
    return join(this.layers, layerId);
  }
  layerItem(layerId: string, key: string): string {
    return join(this.layerData(layerId), bigDataFileName(key));
  }
  imageData(imageId: string): string {
    return join(this.images, imageId);
  }
  imageItem(imageId: string, key: string): string {
    return join(this.imageData(imageId), bigDataFileName(key));
  }
  imageRun(imageId: string): string {
    return join(this.runRoot, `${this.driver}-images`, imageId);
  }
  containerData(containerId: string): string {
    return join(this.containers, containerId);
  }
  containerItem(containerId: string, key: string): string {
    return join(this.containerData(containerId), bigDataFileName(key));
  }
  containerRun(containerId: string): string {
    return join(this.runContainers, containerId);
  }
  /** Held while the blob is being written, so that others wait instead of writing it, too. */
  blobLock(digest: Digest): string {
    return join(this.ownRun, 'blobs', `${digestAlgorithm(digest)}-${digestHex(digest)}.lock`);
  }
  /** Held while the layer `layerId` is being unpacked, so that others wait instead of doing it again. */
  unpackLock(layerId: string): string {
    return join(this.ownRun, 'unpack', `${layerId}.lock`);
  }
}
