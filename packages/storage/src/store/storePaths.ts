import { join } from 'node:path';
import { bigDataFileName } from '../records/bigDataName.ts';

/** Where things lie below a graph root and a run root, for one driver. The only place that knows. */
export class StorePaths {
  readonly graphRoot: string;
  readonly runRoot: string;
  readonly driver: string;

  constructor(graphRoot: string, runRoot: string, driver: string) {
    this.graphRoot = graphRoot;
    this.runRoot = runRoot;
    this.driver = driver;
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
  get images(): string {
    return join(this.graphRoot, `${this.driver}-images`);
  }
  get containers(): string {
    return join(this.graphRoot, `${this.driver}-containers`);
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
  /** What only Sediment uses and may lose at any time. */
  get ownRun(): string {
    return join(this.runRoot, 'sediment');
  }

  tarSplit(layerId: string): string {
    return join(this.layers, `${layerId}.tar-split.gz`);
  }
  layerData(layerId: string): string {
    return join(this.layers, layerId);
  }
  imageData(imageId: string): string {
    return join(this.images, imageId);
  }
  imageItem(imageId: string, key: string): string {
    return join(this.imageData(imageId), bigDataFileName(key));
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
  /** Held while the layer `layerId` is being unpacked, so that others wait instead of doing it again. */
  unpackLock(layerId: string): string {
    return join(this.ownRun, 'unpack', `${layerId}.lock`);
  }
}
