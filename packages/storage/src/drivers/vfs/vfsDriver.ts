import { closeSync, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import { syncfs } from '@sediment/posix';
import { removeTree } from '../../staging/removeTree.ts';
import { renameByPath } from '../../staging/renameByPath.ts';
import type { TempDir } from '../../staging/tempDirRoot.ts';
import { cleanUpAfterFailure } from '../cleanUpAfterFailure.ts';
import type { CreateLayerOptions, Driver, DriverContext, MountOptions, TreeParent } from '../driver.ts';
import { parseDriverOptions } from '../driverOptions.ts';
import { type DirectoryAttributes, ensureDirectory, makeDirectory } from '../exactModes.ts';
import { HomeIdentity } from '../homeIdentity.ts';
import { LayerDirectories } from '../layerDirectories.ts';
import { missingFile } from '../missingFile.ts';
import { openInside } from '../openInside.ts';
import { refuseImageStores } from '../refuseImageStores.ts';
import type { UnpackPolicy } from '../unpackPolicy.ts';
import { copyTree } from './copyTree.ts';
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
  readonly supports = { parallelTrees: false, mountOptions: false };
  /** There is no private mount to take away. */
  readonly homeReleases = 0;
  readonly holdsHome = false;
  readonly unpack: UnpackPolicy;
  readonly #context: DriverContext;
  readonly #options: VfsOptions;
  readonly #layers: LayerDirectories;
  #identity: HomeIdentity | undefined;

  /** @throws {StorageError} for options that this driver does not know or cannot do */
  constructor(context: DriverContext) {
    refuseImageStores(context);
    this.#context = context;
    this.#options = parseVfsOptions(parseDriverOptions(context.options, 'vfs'));
    this.home = join(context.graphRoot, 'vfs');
    this.#layers = new LayerDirectories(join(this.home, 'dir'));
    this.unpack = {
      whiteouts: 'apply',
      opaqueXattr: 'trusted.overlay.opaque',
      applyRootEntry: true,
      parentMode: PARENT_MODE,
      ignoreChownErrors: this.#options.ignoreChownErrors,
    };
  }

  async open(): Promise<void> {
    try {
      mkdirSync(dirname(this.home), { recursive: true, mode: HOME_MODE });
      ensureDirectory(this.home, HOME_MODE);
      ensureDirectory(this.#layers.root, HOME_MODE);
    } catch (error) {
      throw wrapSystemError(error, `making the driver home ${this.home}`, 'GRAPHROOT_UNUSABLE', {
        path: this.home,
      });
    }
    this.#identity = new HomeIdentity(this.home);
  }

  status(): Array<[string, string]> {
    return [];
  }

  exists(id: string): boolean {
    return this.#layers.exists(id);
  }

  list(): string[] {
    return this.#layers.list();
  }

  create(id: string, { parent }: CreateLayerOptions): void {
    this.#identity?.check();
    const path = this.#freePath(id);
    try {
      this.#makeTree(path, parent === undefined ? undefined : this.#layers.require(parent));
    } catch (error) {
      cleanUpAfterFailure(path, this.#context.onWarning, () => removeTree(path));
      throw wrapSystemError(error, `making layer "${id}" in ${path}`, 'IO', { object: id, path });
    }
  }

  prepareStaged(path: string, { parent }: { readonly parent?: TreeParent }): void {
    const source =
      parent === undefined ? undefined : 'staged' in parent ? parent.staged : this.#layers.require(parent.id);
    try {
      this.#makeTree(path, source);
    } catch (error) {
      throw wrapSystemError(error, `making the staged tree ${path}`, 'IO', { path });
    }
  }

  commitStaged(path: string, id: string, { parent }: { readonly parent?: string }): void {
    this.#identity?.check();
    if (parent !== undefined) this.#layers.require(parent);
    const target = this.#freePath(id);
    try {
      renameByPath(path, target);
      if (this.#options.sync) syncTree(this.home);
    } catch (error) {
      throw wrapSystemError(error, `making layer "${id}" in ${target}`, 'IO', { object: id, path: target });
    }
  }

  remove(id: string, temp: TempDir): void {
    this.#identity?.check();
    temp.stageDeletion(this.#layers.path(id));
  }

  get(id: string, { options = [] }: MountOptions = {}): string {
    this.#identity?.check();
    const refused = options.find((option) => option !== 'ro');
    if (refused !== undefined) throw noMountOptions(refused);
    return this.#layers.require(id);
  }

  /** There is nothing to unmount. */
  put(id: string): void {
    this.#layers.path(id);
  }

  isMounted(path: string): boolean {
    return dirname(path) === this.#layers.root && existsSync(path);
  }

  metadata(id: string): Record<string, string> {
    this.#layers.require(id);
    return {};
  }

  openFile(id: string, name: Buffer): number {
    const fd = openInside(this.#layers.path(id), name);
    if (fd === undefined) throw missingFile(id, name, this.#layers.require(id));
    return fd;
  }

  /** There is nothing to give back. */
  close(): void {
    this.#identity = undefined;
  }

  #makeTree(path: string, parent: string | undefined): void {
    makeDirectory(path, parent === undefined ? baseAttributes() : attributesOf(parent));
    if (parent === undefined) return;
    const { ignoreChownErrors } = this.#options;
    copyTree(parent, path, { ignoreChownErrors, onWarning: this.#context.onWarning });
  }

  /** Where a new layer will lie; what an interrupted program left there is removed. */
  #freePath(id: string): string {
    const path = this.#layers.path(id);
    if (!this.#layers.exists(id)) return path;
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

function baseAttributes(): DirectoryAttributes {
  return { mode: BASE_MODE, uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

function attributesOf(path: string): DirectoryAttributes {
  const { mode, uid, gid } = lstatSync(path);
  return { mode: mode & 0o777, uid, gid };
}

function syncTree(home: string): void {
  const fd = openSync(home, 'r');
  try {
    syncfs(fd);
  } finally {
    closeSync(fd);
  }
}
