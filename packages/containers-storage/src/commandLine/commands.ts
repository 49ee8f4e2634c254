import { configCommand } from '../commands/config.ts';
import { containerCommand } from '../commands/container.ts';
import { containersCommand } from '../commands/containers.ts';
import { createContainerCommand } from '../commands/createContainer.ts';
import { createImageCommand } from '../commands/createImage.ts';
import {
  createLayerCommand,
  createStorageLayerCommand,
  importLayerCommand,
} from '../commands/createLayer.ts';
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
import { addNamesCommand, getNamesCommand, removeNamesCommand, setNamesCommand } from '../commands/names.ts';
import { statusCommand } from '../commands/status.ts';
import { storageLayersCommand } from '../commands/storageLayers.ts';
import { unshareCommand } from '../commands/unshare.ts';
import { versionCommand } from '../commands/version.ts';
import type { CommandDefinition } from './commandDefinition.ts';

/** All commands, in the order of the general help. */
export const COMMANDS: readonly CommandDefinition[] = [
  configCommand,
  containerCommand,
  ...containerItemCommands,
  getContainerDirCommand,
  getContainerRunDirCommand,
  containersCommand,
  createLayerCommand,
  importLayerCommand,
  createImageCommand,
  createContainerCommand,
  createStorageLayerCommand,
  existsCommand,
  imageCommand,
  ...imageItemCommands,
  getImageDirCommand,
  getImageRunDirCommand,
  imagesCommand,
  imagesByDigestCommand,
  layerCommand,
  ...layerItemCommands,
  layersCommand,
  metadataCommand,
  setMetadataCommand,
  getNamesCommand,
  addNamesCommand,
  removeNamesCommand,
  setNamesCommand,
  statusCommand,
  storageLayersCommand,
  unshareCommand,
  versionCommand,
];
