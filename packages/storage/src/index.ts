export {
  type BlobInfo,
  type Blobs,
  type BlobUsage,
  type CollectedBlobs,
  type DroppedBlobs,
  KEEP_POLICIES,
  type KeepImageRequest,
  type KeepPolicy,
  type KeptBlob,
  type KeptDescriptor,
  type KeptDocument,
  type KeptImage,
  type KeptLayerRequest,
  type PutBlobOptions,
} from './blobs/blobs.ts';
export { sqliteMisfit } from './blobs/sqliteMisfit.ts';
export {
  type CheckEvent,
  type CheckFinding,
  type CheckOptions,
  type CheckReport,
  type DamagedObject,
  FINDING_KINDS,
  type FindingFacts,
  type FindingKind,
  isSound,
} from './check/checkReport.ts';
export type { RepairedObject, RepairOptions, RepairResult } from './check/repairResult.ts';
export { type ConfValue, type EffectiveSetting, loadStorageConf, type StorageConf } from './conf/index.ts';
export type { AutoUsernsRequest } from './containers/autoUserns.ts';
export type { ContainerInfo } from './containers/containerInfo.ts';
export type { Containers } from './containers/containers.ts';
export type { ContainerLabels, CreateContainerRequest } from './containers/createContainer.ts';
export type { CopyRequest } from './copy/copyPaths.ts';
export type { CopyPlace } from './copy/copyPlace.ts';
export { DEDUP_HASHES, type DedupHash, type DedupOptions, type DedupResult } from './dedup/dedupOptions.ts';
export { DURABILITIES, type Durability } from './durability/durability.ts';
export { IdMappings, type Owner } from './idmaps/idMappings.ts';
export type { ParentOwners } from './idmaps/parentOwners.ts';
export { parseIdMapTriples } from './idmaps/parseIdMapTriples.ts';
export { type IdMapRequest, type IdMapTexts, readIdMapRequest } from './idmaps/resolveIdMaps.ts';
export type { CreateImageRequest } from './images/createImage.ts';
export type { DeleteImageOptions } from './images/deleteImage.ts';
export type { ImageInfo } from './images/imageInfo.ts';
export type { Images, NamesResult } from './images/images.ts';
export type { MountImageOptions } from './images/mountImage.ts';
export type { PutImageRequest, PutImageResult } from './images/putImage.ts';
export type { BigDataItem, ItemInfo } from './items/itemRecord.ts';
export type { AddChainOptions, ChainEvent, ChainLayer } from './layers/addChain.ts';
export type { ApplyDiffOptions } from './layers/applyDiff.ts';
export type { ApplyDirectoryOptions } from './layers/applyDirectory.ts';
export type { CreateLayerRequest, LayerItem } from './layers/createLayerRequest.ts';
export type { LayerChange } from './layers/layerChanges.ts';
export type { LayerInfo } from './layers/layerInfo.ts';
export type { LayerNames } from './layers/layerQueries.ts';
export type { Layers } from './layers/layers.ts';
export type { DiffOptions, LayerDiff } from './layers/openDiff.ts';
export type { PutLayerRequest, PutLayerResult } from './layers/putLayer.ts';
export type { LockBackendName } from './locks/index.ts';
export type { FoundObject, ObjectKind, StoreObjects } from './objects/objects.ts';
export type { IdMap } from './records/idMap.ts';
export { assertRoom, type RoomRequest } from './space/assertRoom.ts';
export { leastPlainSize } from './space/leastPlainSize.ts';
export { openTemporaryFile, type TemporaryFile } from './staging/temporaryFile.ts';
export type { Garbage } from './store/collectGarbage.ts';
export { type OpenStoreOptions, openStore } from './store/openStore.ts';
export type { ShutDownOptions } from './store/shutDown.ts';
export type { MountRequest, Store, StoreInfo } from './store/store.ts';
export type { AccessMode } from './store/storeContext.ts';
export type { TakenName } from './tables/moveNames.ts';
export { registerNativeCodecs } from './unpack/nativeCodecs.ts';
export type { BlobRange, OpenBytes } from './unpack/unpackJob.ts';
export { hasUserNamespace, needsUserNamespace } from './userns/needsUserNamespace.ts';
export { reexecInUserNamespace } from './userns/reexecInUserNamespace.ts';
export {
  type ProgramEnd,
  runInUserNamespace,
  type UserNamespaceOptions,
} from './userns/runInUserNamespace.ts';
