import type { WarningHandler } from '@sediment/core';
import type { KeptBlobs } from '../blobs/keptBlobs.ts';
import type { AutoUserns } from '../conf/storageConf.ts';
import type { Driver } from '../drivers/driver.ts';
import type { Disk } from '../durability/disk.ts';
import type { LockFile, LockManager } from '../locks/index.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { TempDirRoot } from '../staging/tempDirRoot.ts';
import type { MountCounts } from '../tables/mountCounts.ts';
import type { RecordTable } from '../tables/recordTable.ts';
import type { UnpackPool } from '../unpack/unpackPool.ts';
import type { StorePaths } from './storePaths.ts';

/** `shared`: locks as upstream. `snapshot`: consistent reads without locks, mounts or native code. */
export type AccessMode = 'shared' | 'snapshot';

/** What the parts of an open store share. Internal; collections hold it and hand out snapshots. */
export interface StoreContext {
  readonly access: AccessMode;
  readonly paths: StorePaths;
  readonly driver: Driver;
  /** The durability policy, and what keeps it. */
  readonly disk: Disk;
  readonly locks: LockManager;
  readonly storageLock: LockFile;
  readonly layers: RecordTable<LayerRecord>;
  readonly images: RecordTable<ImageRecord>;
  readonly containers: RecordTable<ContainerRecord>;
  readonly mountCounts: MountCounts;
  /** Staging inside the driver home, for layer content. */
  readonly contentTemp: TempDirRoot;
  /** The same for layers of images; another one where these have a place of their own. */
  readonly imageContentTemp: TempDirRoot;
  /** Staging beside the layer records, for tar-split files. */
  readonly layerTemp: TempDirRoot;
  /** Staging of kept blobs. */
  readonly blobTemp: TempDirRoot;
  /** Of storage.conf: user namespaces that are made automatically. */
  readonly autoUserns: AutoUserns;
  /** `[storage.options.pull_options]` as it was written. */
  readonly pullOptions: Readonly<Record<string, string>>;
  readonly onWarning: WarningHandler;
  /**
   * Runs an operation that changes the store or its mounts; closing the store waits for it.
   *
   * @throws {StorageError} `STORE_CLOSED`; `STORE_READ_ONLY` or its like for a snapshot
   */
  change<T>(operation: () => Promise<T>): Promise<T>;
  /** Aborted when the store is being closed. */
  readonly closing: AbortSignal;
  /** The unpack workers; started by the first call, ended when the store is closed. */
  unpackPool(): Promise<UnpackPool>;
  /** The kept blobs; loaded by the first call. */
  keptBlobs(): Promise<KeptBlobs>;
}
