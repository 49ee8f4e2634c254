import { applyDiffCommand, applyDiffUsingStagingDirCommand } from '../commands/applyDiff.ts';
import { changesCommand } from '../commands/changes.ts';
import { checkCommand } from '../commands/check.ts';
import { configCommand } from '../commands/config.ts';
import { containerCommand } from '../commands/container.ts';
import { containersCommand } from '../commands/containers.ts';
import { copyCommand } from '../commands/copy.ts';
import { createContainerCommand } from '../commands/createContainer.ts';
import { createImageCommand } from '../commands/createImage.ts';
import {
  createLayerCommand,
  createStorageLayerCommand,
  importLayerCommand,
} from '../commands/createLayer.ts';
import { dedupCommand } from '../commands/dedup.ts';
import {
  deleteCommand,
  deleteContainerCommand,
  deleteImageCommand,
  deleteLayerCommand,
} from '../commands/delete.ts';
import { diffCommand } from '../commands/diff.ts';
import { diffSizeCommand } from '../commands/diffSize.ts';
import {
  getContainerDirCommand,
  getContainerRunDirCommand,
  getImageDirCommand,
  getImageRunDirCommand,
} from '../commands/directories.ts';
import { existsCommand } from '../commands/exists.ts';
import { imageCommand } from '../commands/image.ts';
import { imagesByDigestCommand, imagesCommand } from '../commands/images.ts';
import { containerItemCommands, imageItemCommands, layerItemCommands } from '../commands/items.ts';
import { layerCommand } from '../commands/layer.ts';
import { layersCommand } from '../commands/layers.ts';
import { metadataCommand, setMetadataCommand } from '../commands/metadata.ts';
import { mountCommand } from '../commands/mount.ts';
import { mountedCommand } from '../commands/mounted.ts';
import { addNamesCommand, getNamesCommand, removeNamesCommand, setNamesCommand } from '../commands/names.ts';
import { containerParentOwnersCommand, layerParentOwnersCommand } from '../commands/parentOwners.ts';
import { statusCommand } from '../commands/status.ts';
import { storageLayersCommand } from '../commands/storageLayers.ts';
import { unmountCommand } from '../commands/unmount.ts';
import { unshareCommand } from '../commands/unshare.ts';
import { versionCommand } from '../commands/version.ts';
import { gcCommand, shutdownCommand, wipeCommand } from '../commands/wholeStore.ts';
import type { CommandDefinition } from './commandDefinition.ts';

/** All commands, in the order of the general help. */
export const COMMANDS: readonly CommandDefinition[] = [
  checkCommand,
  configCommand,
  containerCommand,
  ...containerItemCommands,
  getContainerDirCommand,
  getContainerRunDirCommand,
  containerParentOwnersCommand,
  containersCommand,
  copyCommand,
  createStorageLayerCommand,
  createLayerCommand,
  importLayerCommand,
  createImageCommand,
  createContainerCommand,
  dedupCommand,
  deleteCommand,
  deleteLayerCommand,
  deleteImageCommand,
  deleteContainerCommand,
  changesCommand,
  diffSizeCommand,
  diffCommand,
  applyDiffCommand,
  applyDiffUsingStagingDirCommand,
  existsCommand,
  gcCommand,
  imageCommand,
  ...imageItemCommands,
  getImageDirCommand,
  getImageRunDirCommand,
  imagesCommand,
  imagesByDigestCommand,
  layerCommand,
  layerParentOwnersCommand,
  ...layerItemCommands,
  layersCommand,
  storageLayersCommand,
  metadataCommand,
  setMetadataCommand,
  mountCommand,
  unmountCommand,
  mountedCommand,
  getNamesCommand,
  addNamesCommand,
  removeNamesCommand,
  setNamesCommand,
  shutdownCommand,
  statusCommand,
  unshareCommand,
  versionCommand,
  wipeCommand,
];
