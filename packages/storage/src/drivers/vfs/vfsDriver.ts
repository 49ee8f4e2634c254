import { closeSync, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import { O_CLOEXEC, O_DIRECTORY } from '@sediment/posix';
import { copyTree } from '../../copy/copyTree.ts';
import type { IdMappings } from '../../idmaps/idMappings.ts';
import { removeTree } from '../../staging/removeTree.ts';
import { renameByPath } from '../../staging/renameByPath.ts';
import type { TempDir } from '../../staging/tempDirRoot.ts';
import { chownTree } from '../chownTree.ts';
import { cleanUpAfterFailure } from '../cleanUpAfterFailure.ts';
import type {
  CreateFromTemplateOptions,
  CreateLayerOptions,
  Driver,
  DriverContext,
  LayerPlace,
  MountOptions,
  TreeParent,
} from '../driver.ts';
import { parseDriverOptions } from '../driverOptions.ts';
import { type DirectoryAttributes, ensureDirectory, makeDirectory } from '../exactModes.ts';
import { HomeIdentity } from '../homeIdentity.ts';
import { LayerDirectories } from '../layerDirectories.ts';
import { type LayerHome, LayerHomes } from '../layerHomes.ts';
import { layerOwner } from '../layerOwner.ts';
import { missingFile } from '../missingFile.ts';
import type { OpenedTree } from '../openedTree.ts';
import { openInside } from '../openInside.ts';
import { refuseStorageOptions } from '../storageOptions.ts';
import type { UnpackPolicy } from '../unpackPolicy.ts';
import { noMountOptions, parseVfsOptions, type VfsOptions } from './vfsOptions.ts';

const HOME_MODE = 0o700;
const BASE_MODE = 0o555;
const PARENT_MODE = 0o755;

/**
 * Layers as complete trees, each a copy of its parent's with its own changes. Needs nothing of the
 * kernel, and much space. The tree on disk is that of containers/storage's `vfs` driver.
 */
export class VfsDriver implements Driver {
  readonly name = 'vfs';
  readonly home: string;
  readonly supports = { parallelTrees: false, mountOptions: false, shifting: false };
  /** There is no private mount to take away. */
  readonly homeReleases = 0;
  readonly holdsHome = false;
  readonly unpack: UnpackPolicy;
  readonly #context: DriverContext;
  readonly #options: VfsOptions;
  readonly #homes: LayerHomes<LayerHome>;
  #identity: HomeIdentity | undefined;

  /** @throws {StorageError} for options that this driver does not know or cannot do */
  constructor(context: DriverContext) {
    this.#context = context;
    this.#options = parseVfsOptions(parseDriverOptions(context.options, 'vfs'));
    this.#homes = new LayerHomes(context, homeIn);
    this.home = this.#homes.own.path;
    this.unpack = {
      whiteouts: 'apply',
      opaqueXattr: 'trusted.overlay.opaque',
      applyRootEntry: true,
      parentMode: PARENT_MODE,
      ignoreChownErrors: this.#options.ignoreChownErrors,
    };
  }

  async open(): Promise<void> {
    for (const home of this.#homes.writable) makeHome(home);
    this.#identity = new HomeIdentity(this.home);
  }

  status(): Array<[string, string]> {
    return [];
  }

  exists(id: string): boolean {
    return this.#homes.find(id) !== undefined;
  }

  placeOf(id: string): LayerPlace | undefined {
    return this.#homes.find(id)?.place;
  }

  list(): string[] {
    return this.#homes.list();
  }

  create(id: string, { parent, readWrite, idMaps, storageOptions }: CreateLayerOptions): void {
    this.#identity?.check();
    refuseStorageOptions('vfs', storageOptions, readWrite);
    const path = this.#freePath(id, readWrite);
    try {
      this.#makeTree(path, parent === undefined ? undefined : this.#pathOf(parent), idMaps);
    } catch (error) {
      cleanUpAfterFailure(path, this.#context.onWarning, () => removeTree(path));
      throw wrapSystemError(error, `making layer "${id}" in ${path}`, 'IO', { object: id, path });
    }
  }

  createFromTemplate(id: string, template: string, options: CreateFromTemplateOptions): void {
    const { readWrite, templateMaps, maps } = options;
    this.create(id, { parent: template, readWrite, idMaps: templateMaps });
    if (templateMaps.equals(maps)) return;
    const path = this.#pathOf(id);
    try {
      chownTree(path, templateMaps, maps);
    } catch (error) {
      cleanUpAfterFailure(path, this.#context.onWarning, () => removeTree(path));
      throw wrapSystemError(error, `changing owners in ${path}`, 'IO', { object: id, path });
    }
  }

  updateIdMaps(id: string, from: IdMappings, to: IdMappings): void {
    this.#identity?.check();
    const { place } = this.#homes.require(id);
    if (place === 'additional') throw new TypeError(`layer ${id} of an additional store cannot change`);
    const path = this.#pathOf(id);
    try {
      chownTree(path, from, to);
    } catch (error) {
      throw wrapSystemError(error, `changing owners in ${path}`, 'IO', { object: id, path });
    }
  }

  prepareStaged(path: string, { parent }: { readonly parent?: TreeParent }): string | undefined {
    const base =
      parent === undefined ? undefined : 'staged' in parent ? parent.staged : this.#pathOf(parent.id);
    try {
      makeRoot(path, base);
    } catch (error) {
      throw wrapSystemError(error, `making the staged tree ${path}`, 'IO', { path });
    }
    return base;
  }

  commitStaged(path: string, id: string, { parent }: { readonly parent?: string }): void {
    this.#identity?.check();
    if (parent !== undefined) this.#homes.require(parent);
    const target = this.#freePath(id, false);
    try {
      renameByPath(path, target);
    } catch (error) {
      throw wrapSystemError(error, `making layer "${id}" in ${target}`, 'IO', { object: id, path: target });
    }
  }

  remove(id: string, temp: TempDir): void {
    this.#identity?.check();
    const layer = this.#homes.find(id);
    if (layer === undefined || layer.place === 'additional') return;
    temp.stageDeletion(layer.home.layers.path(id));
  }

  get(id: string, { options = [] }: MountOptions = {}): string {
    this.#identity?.check();
    const refused = options.find((option) => option !== 'ro');
    if (refused !== undefined) throw noMountOptions(refused);
    return this.#pathOf(id);
  }

  /** There is nothing to unmount. */
  put(id: string): void {
    this.#homes.own.layers.path(id);
  }

  isMounted(path: string): boolean {
    return this.#homes.all.some(({ layers }) => layers.root === dirname(path)) && existsSync(path);
  }

  metadata(id: string): Record<string, string> {
    this.#homes.require(id);
    return {};
  }

  openFile(id: string, name: Buffer): number {
    const path = this.#pathOf(id);
    const fd = openInside(path, name);
    if (fd === undefined) throw missingFile(id, name, path);
    return fd;
  }

  openTree(id: string): OpenedTree {
    const path = this.#pathOf(id);
    try {
      const fd = openSync(path, O_DIRECTORY | O_CLOEXEC);
      return { fd, close: () => closeSync(fd) };
    } catch (error) {
      throw wrapSystemError(error, `opening layer "${id}"`, 'MOUNT_FAILED', { object: id, path });
    }
  }

  /** A layer is a copy of its parent's whole tree. */
  ownChanges(id: string): undefined {
    this.#homes.require(id);
  }

  isReplaceable(id: string): boolean {
    this.#homes.require(id);
    return false;
  }

  replaceContent(_path: string, id: string): never {
    throw new TypeError(`the content of layer ${id} cannot be replaced`);
  }

  /** A layer is its tree, and nothing else. */
  noteFiles(id: string): string[] {
    this.#homes.require(id);
    return [];
  }

  contentDirectories(id: string): string[] {
    return [this.#pathOf(id)];
  }

  /** There is nothing to give back. */
  close(): void {
    this.#identity = undefined;
  }

  #pathOf(id: string): string {
    return this.#homes.require(id).home.layers.path(id);
  }

  #makeTree(path: string, parent: string | undefined, idMaps: IdMappings | undefined): void {
    makeRoot(path, parent, idMaps);
    if (parent === undefined) return;
    const { ignoreChownErrors } = this.#options;
    copyTree(parent, path, { ignoreChownErrors, onWarning: this.#context.onWarning });
  }

  /** Where a new layer will lie; what an interrupted program left there is removed. */
  #freePath(id: string, readWrite: boolean): string {
    const { layers } = this.#homes.forNew(readWrite);
    const path = layers.path(id);
    if (!layers.exists(id)) return path;
    this.#context.onWarning({
      code: 'DEBRIS_REMOVED',
      message: `removed ${path}, which an interrupted program left, to make layer "${id}"`,
      object: id,
      path,
    });
    removeTree(path);
    return path;
  }
}

function homeIn(root: string): LayerHome {
  const path = join(root, 'vfs');
  return { path, layers: new LayerDirectories(join(path, 'dir')) };
}

function makeHome({ path, layers }: LayerHome): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: HOME_MODE });
    ensureDirectory(path, HOME_MODE);
    ensureDirectory(layers.root, HOME_MODE);
  } catch (error) {
    throw wrapSystemError(error, `making the driver home ${path}`, 'GRAPHROOT_UNUSABLE', { path });
  }
}

function makeRoot(path: string, parent: string | undefined, idMaps?: IdMappings): void {
  makeDirectory(
    path,
    parent === undefined ? { mode: BASE_MODE, ...layerOwner(idMaps) } : attributesOf(parent),
  );
}

function attributesOf(path: string): DirectoryAttributes {
  const { mode, uid, gid } = lstatSync(path);
  return { mode: mode & 0o777, uid, gid };
}
