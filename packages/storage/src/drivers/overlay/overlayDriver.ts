import { chmodSync, chownSync, closeSync, lstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import { syncfs } from '@sediment/posix';
import { renameByPath } from '../../staging/renameByPath.ts';
import type { TempDir } from '../../staging/tempDirRoot.ts';
import { inUserNamespace } from '../../userns/inUserNamespace.ts';
import type { CreateLayerOptions, Driver, DriverContext, MountOptions, TreeParent } from '../driver.ts';
import { parseDriverOptions } from '../driverOptions.ts';
import { type DirectoryAttributes, makeDirectory } from '../exactModes.ts';
import { fileSystemName } from '../fileSystemNames.ts';
import { HomeIdentity } from '../homeIdentity.ts';
import { missingFile } from '../missingFile.ts';
import { openInside } from '../openInside.ts';
import { refuseImageStores } from '../refuseImageStores.ts';
import type { UnpackPolicy } from '../unpackPolicy.ts';
import { FeatureCache } from './featureCache.ts';
import { mountLayer, unmountLayer } from './layerMount.ts';
import { makeLayer, stageLayerRemoval } from './layerTree.ts';
import { lowerDiffs, ownDiffs } from './lowerDirectories.ts';
import { isOverlayMounted } from './mountedPath.ts';
import { chooseMountOptions } from './mountRequest.ts';
import { MountUses } from './mountUses.ts';
import { findFeatures, type OverlayFeatures, recallFeatures } from './overlayFeatures.ts';
import { OverlayHome } from './overlayHome.ts';
import { type OverlayOptions, parseOverlayOptions } from './overlayOptions.ts';
import { prepareHome } from './prepareHome.ts';
import { PrivateHome } from './privateHome.ts';
import { baseRootAttributes, inheritedRootAttributes } from './rootAttributes.ts';
import { layerOfEntry, readLower } from './shortLinks.ts';

const PARENT_MODE = 0o755;

/**
 * Layers as directories that the kernel's overlay file system puts on top of each other. The tree on
 * disk, the mount options and the cached probe results are those of containers/storage's `overlay`
 * driver without a mount program.
 */
export class OverlayDriver implements Driver {
  readonly name = 'overlay';
  readonly home: string;
  readonly supports = { parallelTrees: true, mountOptions: true };
  readonly unpack: UnpackPolicy;
  readonly #context: DriverContext;
  readonly #options: OverlayOptions;
  readonly #home: OverlayHome;
  readonly #cache: FeatureCache;
  readonly #privateHome: PrivateHome;
  readonly #uses = new MountUses();
  readonly #rootless: boolean;
  #features: OverlayFeatures | undefined;
  #homeReleases = 0;
  #identity: HomeIdentity | undefined;

  /** @throws {StorageError} for options that this driver does not know or cannot do */
  constructor(context: DriverContext) {
    const { graphRoot, runRoot } = context;
    refuseImageStores(context);
    this.#context = context;
    this.#options = parseOverlayOptions(parseDriverOptions(context.options, 'overlay'));
    this.home = join(graphRoot, 'overlay');
    this.#home = new OverlayHome(this.home);
    this.#cache = new FeatureCache(join(runRoot, 'overlay'));
    this.#privateHome = new PrivateHome(this.home, join(runRoot, 'sediment', 'overlay-home'));
    this.#rootless = inUserNamespace();
    this.unpack = {
      whiteouts: 'overlay',
      opaqueXattr: this.#rootless ? 'user.overlay.opaque' : 'trusted.overlay.opaque',
      applyRootEntry: false,
      parentMode: PARENT_MODE,
      ignoreChownErrors: this.#options.ignoreChownErrors,
    };
  }

  async open(): Promise<void> {
    const { graphRoot, runRoot, onWarning } = this.#context;
    const place = {
      home: this.#home,
      graphRoot,
      runHome: join(runRoot, 'overlay'),
      inUserNamespace: this.#rootless,
      onWarning,
    };
    const probed = {
      home: this.home,
      userXattr: this.#rootless,
      mountOptions: this.#options.mountOptions,
    };
    this.#features = prepareHome(place, () =>
      findFeatures(probed, this.#options.mountOptionText, this.#cache),
    );
    this.#identity = new HomeIdentity(this.home);
  }

  status(): Array<[string, string]> {
    const known = this.#features ?? recallFeatures(this.#options.mountOptionText, this.#cache);
    const text = (value: boolean | undefined) => (value === undefined ? 'unknown' : String(value));
    return [
      ['Backing Filesystem', fileSystemName(this.#context.graphRoot)],
      // Without d_type the driver does not open.
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', text(known.nativeDiff)],
      ['Using metacopy', text(known.metacopy)],
      // Layers are not mounted with shifted ids.
      ['Supports shifting', 'false'],
      ['Supports volatile', text(known.volatile)],
    ];
  }

  exists(id: string): boolean {
    return this.#home.layers.exists(id);
  }

  list(): string[] {
    return this.#home.layers.list();
  }

  create(id: string, { parent }: CreateLayerOptions): void {
    this.#identity?.check();
    const root = this.#rootOf(parent === undefined ? undefined : { id: parent });
    this.#makeLayer(id, parent, root, (diff) => makeDirectory(diff, root));
  }

  prepareStaged(path: string, { parent }: { readonly parent?: TreeParent }): void {
    const root = this.#rootOf(parent);
    try {
      makeDirectory(path, root);
    } catch (error) {
      throw wrapSystemError(error, `making the staged tree ${path}`, 'IO', { path });
    }
  }

  commitStaged(path: string, id: string, { parent }: { readonly parent?: string }): void {
    this.#identity?.check();
    const root = this.#rootOf(parent === undefined ? undefined : { id: parent });
    // The parent may have been made anew, by another program, since the tree was staged.
    setAttributes(path, root);
    this.#makeLayer(id, parent, root, (diff) => renameByPath(path, diff));
    if (this.#options.sync) this.#syncHome();
  }

  remove(id: string, temp: TempDir): void {
    this.#identity?.check();
    if (!this.exists(id)) return;
    this.#uses.forget(this.#home.layer(id).merged);
    unmountLayer(this.#home, id);
    this.#releaseHome();
    stageLayerRemoval(this.#home, id, temp);
  }

  get(id: string, options: MountOptions = {}): string {
    this.#identity?.check();
    this.#home.layers.require(id);
    const { merged } = this.#home.layer(id);
    const mounted = isOverlayMounted(merged);
    if (!mounted) this.#mount(id, options);
    this.#uses.add(merged, mounted);
    return merged;
  }

  put(id: string, { all = false }: { readonly all?: boolean } = {}): void {
    if (!this.exists(id)) return;
    const { merged } = this.#home.layer(id);
    if (this.#uses.remove(merged, isOverlayMounted(merged)) > 0 && !all) return;
    this.#uses.forget(merged);
    unmountLayer(this.#home, id);
    this.#releaseHome();
  }

  isMounted(path: string): boolean {
    return isOverlayMounted(path);
  }

  metadata(id: string): Record<string, string> {
    this.#home.layers.require(id);
    const { work, merged, diff } = this.#home.layer(id);
    const lowers = readLower(this.#home, id).map((entry) => {
      const lower = layerOfEntry(this.#home, entry);
      return lower === undefined ? join(this.home, entry) : this.#home.layer(lower).diff;
    });
    const own = { MergedDir: merged, UpperDir: diff, WorkDir: work };
    return lowers.length === 0 ? own : { LowerDir: lowers.join(':'), ...own };
  }

  openFile(id: string, name: Buffer): number {
    const { diff } = this.#home.layer(id);
    // A hard link's target, or what lay below before an id shift, may be in another directory.
    const fd = openInside(diff, name) ?? this.#openBelow(id, name);
    if (fd === undefined) throw missingFile(id, name, diff);
    return fd;
  }

  get homeReleases(): number {
    return this.#homeReleases;
  }

  get holdsHome(): boolean {
    return this.#privateHome.mayBeOurs;
  }

  close(): void {
    this.#releaseHome();
  }

  #openBelow(id: string, name: Buffer): number | undefined {
    this.#home.layers.require(id);
    return openInFirst(ownDiffs(this.#home, id), name) ?? openInFirst(lowerDiffs(this.#home, id), name);
  }

  #releaseHome(): void {
    if (this.#privateHome.release()) this.#homeReleases++;
  }

  #mount(id: string, { options = [], readOnly = false, volatile = false, mountLabel }: MountOptions): void {
    const features = this.#openFeatures();
    const given = readOnly && !options.includes('ro') ? [...options, 'ro'] : options;
    const chosen = chooseMountOptions({
      given,
      configured: this.#options.mountOptions,
      metacopyWorks: features.metacopy,
    });
    if (this.#rootless) chosen.push('userxattr');
    if (volatile && features.volatile && !chosen.includes('volatile')) chosen.push('volatile');
    if (!this.#options.skipMountHome) this.#privateHome.ensure();
    try {
      mountLayer(this.#home, { id, options: chosen, mountLabel, onWarning: this.#context.onWarning });
    } catch (error) {
      this.#releaseHome();
      throw error;
    }
  }

  #makeLayer(
    id: string,
    parent: string | undefined,
    root: DirectoryAttributes,
    placeDiff: (path: string) => void,
  ): void {
    makeLayer(this.#home, { id, parent, root, placeDiff, onWarning: this.#context.onWarning });
  }

  #rootOf(parent: TreeParent | undefined): DirectoryAttributes {
    if (parent === undefined) return baseRootAttributes();
    if ('staged' in parent) return inheritedRootAttributes(parent.staged);
    this.#home.layers.require(parent.id);
    return inheritedRootAttributes(this.#home.layer(parent.id).diff);
  }

  #openFeatures(): OverlayFeatures {
    if (this.#features !== undefined) return this.#features;
    throw new TypeError('the driver must be opened before it can mount');
  }

  #syncHome(): void {
    const fd = openSync(this.home, 'r');
    try {
      syncfs(fd);
    } catch (error) {
      throw wrapSystemError(error, `writing ${this.home} to the disk`, 'IO', { path: this.home });
    } finally {
      closeSync(fd);
    }
  }
}

function setAttributes(path: string, { mode, uid, gid }: DirectoryAttributes): void {
  try {
    const present = lstatSync(path);
    if (present.uid !== uid || present.gid !== gid) chownSync(path, uid, gid);
    if ((present.mode & 0o7777) !== mode) chmodSync(path, mode);
  } catch (error) {
    throw wrapSystemError(error, `setting mode and owner of the staged tree ${path}`, 'IO', { path });
  }
}

function openInFirst(directories: readonly string[], name: Buffer): number | undefined {
  for (const directory of directories) {
    const fd = openInside(directory, name);
    if (fd !== undefined) return fd;
  }
  return undefined;
}
