import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { wrapSystemError } from '@sediment/core';
import type { IdMappings } from '../../idmaps/idMappings.ts';
import { renameByPath } from '../../staging/renameByPath.ts';
import type { TempDir } from '../../staging/tempDirRoot.ts';
import { inUserNamespace } from '../../userns/inUserNamespace.ts';
import { chownTree } from '../chownTree.ts';
import { cleanUpAfterFailure } from '../cleanUpAfterFailure.ts';
import type { OwnChanges } from '../diff/overlayChanges.ts';
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
import { correctAttributes, type DirectoryAttributes, makeDirectory } from '../exactModes.ts';
import { fileSystemName } from '../fileSystemNames.ts';
import { HomeIdentity } from '../homeIdentity.ts';
import { layerOwner } from '../layerOwner.ts';
import { missingFile } from '../missingFile.ts';
import type { OpenedTree } from '../openedTree.ts';
import { openInside } from '../openInside.ts';
import { refuseStorageOptions } from '../storageOptions.ts';
import type { UnpackPolicy } from '../unpackPolicy.ts';
import { rotateDiffs } from './diffRotation.ts';
import { FeatureCache } from './featureCache.ts';
import { mountLayer, unmountLayer } from './layerMount.ts';
import { deleteLayer, makeLayer, stageLayerRemoval } from './layerTree.ts';
import { lowerDiffs, ownDiffs } from './lowerDirectories.ts';
import { isOverlayMounted } from './mountedPath.ts';
import { chooseMountOptions } from './mountRequest.ts';
import { MountUses } from './mountUses.ts';
import { openLayerTree } from './openLayerTree.ts';
import {
  featureTexts,
  findFeatures,
  type OverlayFeatures,
  recallFeatures,
  shiftingIsAllowed,
} from './overlayFeatures.ts';
import { OverlayHomes, type OverlayLayer } from './overlayLayer.ts';
import { type OverlayOptions, parseOverlayOptions } from './overlayOptions.ts';
import { prepareHome } from './prepareHome.ts';
import { PrivateHome } from './privateHome.ts';
import { baseRootAttributes, inheritedRootAttributes } from './rootAttributes.ts';
import { layerOfEntry, readLower } from './shortLinks.ts';

const PARENT_MODE = 0o755;

interface LayerToMake {
  readonly below: OverlayLayer | undefined;
  readonly root: DirectoryAttributes;
  readonly readWrite: boolean;
  readonly idMaps?: IdMappings | undefined;
}

/**
 * Layers as directories that the kernel's overlay file system puts on top of each other. The tree on
 * disk, the mount options and the cached probe results are those of containers/storage's `overlay`
 * driver without a mount program.
 */
export class OverlayDriver implements Driver {
  readonly name = 'overlay';
  readonly home: string;
  readonly unpack: UnpackPolicy;
  readonly #context: DriverContext;
  readonly #options: OverlayOptions;
  readonly #homes: OverlayHomes;
  readonly #cache: FeatureCache;
  readonly #privateHome: PrivateHome;
  readonly #uses = new MountUses();
  readonly #rootless: boolean;
  #features: OverlayFeatures | undefined;
  #homeReleases = 0;
  #identity: HomeIdentity | undefined;

  /** @throws {StorageError} for options that this driver does not know or cannot do */
  constructor(context: DriverContext) {
    const { runRoot } = context;
    this.#context = context;
    this.#options = parseOverlayOptions(parseDriverOptions(context.options, 'overlay'));
    this.#homes = new OverlayHomes(context);
    this.home = this.#homes.own.path;
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
      home: this.#homes.own,
      imageHome: this.#homes.images,
      graphRoot,
      runHome: join(runRoot, 'overlay'),
      inUserNamespace: this.#rootless,
      mountProgram: this.#options.mountProgram,
      onWarning,
    };
    const probed = {
      place: { home: this.home, userXattr: this.#rootless, mountOptions: this.#options.mountOptions },
      optionText: this.#options.mountOptionText,
      cache: this.#cache,
      onWarning,
    };
    this.#features = prepareHome(place, () => findFeatures(probed));
    this.#identity = new HomeIdentity(this.home);
  }

  status(): Array<[string, string]> {
    const text = featureTexts(this.#known(), this.home, this.#context.onWarning);
    return [
      ['Backing Filesystem', fileSystemName(this.#context.graphRoot)],
      // Without d_type the driver does not open.
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', text('nativeDiff')],
      ['Using metacopy', text('metacopy')],
      ['Supports shifting', shiftingIsAllowed() ? text('shifting') : 'false'],
      ['Supports volatile', text('volatile')],
    ];
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
    refuseStorageOptions('overlay', storageOptions, readWrite);
    const below = parent === undefined ? undefined : this.#homes.require(parent);
    const root = this.#rootOf(parent === undefined ? undefined : { id: parent }, idMaps);
    this.#makeLayer(id, { below, root, readWrite, idMaps }, (diff) => makeDirectory(diff, root));
  }

  createFromTemplate(id: string, template: string, options: CreateFromTemplateOptions): void {
    const { readWrite, templateMaps, maps, mountLabel } = options;
    // Not on the parent of the template: the copy shows the template's files, and changes their owners.
    this.create(id, { parent: template, readWrite, idMaps: templateMaps });
    if (templateMaps.equals(maps)) return;
    try {
      this.updateIdMaps(id, templateMaps, maps, mountLabel);
    } catch (error) {
      const { home } = this.#homes.require(id);
      cleanUpAfterFailure(home.layer(id).dir, this.#context.onWarning, () => deleteLayer(home, id));
      throw error;
    }
  }

  updateIdMaps(id: string, from: IdMappings, to: IdMappings, mountLabel?: string): void {
    this.#identity?.check();
    const layer = this.#homes.require(id);
    if (layer.place === 'additional') throw new TypeError(`layer ${id} of an additional store cannot change`);
    // Also in a split store: there, layers are otherwise mounted read-only, at another place.
    const own: OverlayLayer = { ...layer, place: 'own' };
    const paths = this.#homes.pathsOf(own);
    const owner = layerOwner(to);
    this.#mount(own, mountLabel === undefined ? {} : { mountLabel });
    try {
      chownTree(paths.merged, from, to);
    } finally {
      unmountLayer(this.#homes, own);
      this.#releaseHome();
    }
    rotateDiffs(paths, owner);
  }

  prepareStaged(path: string, { parent }: { readonly parent?: TreeParent }): undefined {
    const root = this.#rootOf(parent);
    try {
      makeDirectory(path, root);
    } catch (error) {
      throw wrapSystemError(error, `making the staged tree ${path}`, 'IO', { path });
    }
  }

  commitStaged(path: string, id: string, { parent }: { readonly parent?: string }): void {
    this.#identity?.check();
    const below = parent === undefined ? undefined : this.#homes.require(parent);
    const root = this.#rootOf(parent === undefined ? undefined : { id: parent });
    // The parent may have been made anew, by another program, since the tree was staged.
    correctAttributes(path, root);
    this.#makeLayer(id, { below, root, readWrite: false }, (diff) => renameByPath(path, diff));
  }

  remove(id: string, temp: TempDir): void {
    this.#identity?.check();
    const layer = this.#homes.find(id);
    if (layer === undefined || layer.place === 'additional') return;
    this.#uses.forget(this.#homes.pathsOf(layer).merged);
    unmountLayer(this.#homes, layer);
    this.#releaseHome();
    stageLayerRemoval(layer.home, id, temp);
  }

  get(id: string, options: MountOptions = {}): string {
    this.#identity?.check();
    const layer = this.#homes.require(id);
    const { merged } = this.#homes.pathsOf(layer);
    const mounted = isOverlayMounted(merged);
    if (!mounted) this.#mount(layer, options);
    this.#uses.add(merged, mounted);
    return merged;
  }

  put(id: string, { all = false }: { readonly all?: boolean } = {}): void {
    const layer = this.#homes.find(id);
    if (layer === undefined) return;
    const { merged } = this.#homes.pathsOf(layer);
    if (this.#uses.remove(merged, isOverlayMounted(merged)) > 0 && !all) return;
    this.#uses.forget(merged);
    unmountLayer(this.#homes, layer);
    this.#releaseHome();
  }

  isMounted(path: string): boolean {
    return isOverlayMounted(path);
  }

  metadata(id: string): Record<string, string> {
    const layer = this.#homes.require(id);
    const { work, merged, diff } = this.#homes.pathsOf(layer);
    const lowers = readLower(layer).map((entry) => {
      const lower = layerOfEntry(this.#homes, entry);
      return lower === undefined ? join(this.home, entry) : lower.home.layer(lower.id).diff;
    });
    const own = { MergedDir: merged, UpperDir: diff, WorkDir: work };
    return lowers.length === 0 ? own : { LowerDir: lowers.join(':'), ...own };
  }

  openFile(id: string, name: Buffer): number {
    const layer = this.#homes.require(id);
    // A hard link's target, or what lay below before an id shift, may be in another directory.
    const fd = openInFirst(ownDiffs(layer), name) ?? openInFirst(lowerDiffs(this.#homes, layer), name);
    if (fd === undefined) throw missingFile(id, name, layer.home.layer(id).diff);
    return fd;
  }

  openTree(id: string): OpenedTree {
    const layer = this.#homes.require(id);
    const { merged, empty } = this.#homes.pathsOf(layer);
    const directories = [...ownDiffs(layer), ...lowerDiffs(this.#homes, layer)];
    const options = this.#mountOptions([], this.#known().metacopy === true);
    return openLayerTree({ id, merged, directories, empty, options });
  }

  ownChanges(id: string, base: string | undefined): OwnChanges | undefined {
    const layer = this.#homes.require(id);
    if (this.#known().nativeDiff !== true || this.#parentOf(layer) !== base) return undefined;
    const [directory = '', ...older] = ownDiffs(layer);
    const lowers = [...older, ...lowerDiffs(this.#homes, layer)];
    return { directory, lowers, opaqueXattr: this.unpack.opaqueXattr };
  }

  isReplaceable(id: string): boolean {
    const layer = this.#homes.require(id);
    const { diff, merged } = this.#homes.pathsOf(layer);
    return layer.place !== 'additional' && !isOverlayMounted(merged) && readdirSync(diff).length === 0;
  }

  replaceContent(path: string, id: string): void {
    this.#identity?.check();
    const { diff } = this.#homes.pathsOf(this.#homes.require(id));
    correctAttributes(path, inheritedRootAttributes(diff));
    try {
      // A rename replaces an empty directory, so that the layer always has one.
      renameByPath(path, diff);
    } catch (error) {
      throw wrapSystemError(error, `moving ${path} to ${diff}`, 'IO', { object: id, path: diff });
    }
  }

  noteFiles(id: string): string[] {
    const { home } = this.#homes.require(id);
    const { link, lower } = home.layer(id);
    return [link, lower].filter((path) => existsSync(path));
  }

  contentDirectories(id: string): string[] {
    return ownDiffs(this.#homes.require(id));
  }

  get supports(): Driver['supports'] {
    const canShift = () => this.#canShift();
    return {
      parallelTrees: true,
      mountOptions: true,
      get shifting() {
        return canShift();
      },
    };
  }

  get homeReleases(): number {
    return this.#homeReleases;
  }

  get holdsHome(): boolean {
    return this.#privateHome.mayBeOurs;
  }

  close(options: { readonly everyones?: boolean } = {}): void {
    this.#releaseHome(options);
  }

  #parentOf(layer: OverlayLayer): string | undefined {
    const [nearest] = readLower(layer);
    return nearest === undefined ? undefined : layerOfEntry(this.#homes, nearest)?.id;
  }

  #releaseHome(options: { readonly everyones?: boolean } = {}): void {
    if (this.#privateHome.release(options)) this.#homeReleases++;
  }

  #mount(layer: OverlayLayer, { options = [], readOnly = false, ...rest }: MountOptions): void {
    const { volatile = false, mountLabel, idMaps } = rest;
    const features = this.#openFeatures();
    const mustRead = readOnly || layer.place !== 'own';
    const given = mustRead && !options.includes('ro') ? [...options, 'ro'] : options;
    const chosen = this.#mountOptions(given, features.metacopy);
    if (volatile && features.volatile && !chosen.includes('volatile')) chosen.push('volatile');
    if (!this.#options.skipMountHome) this.#privateHome.ensure();
    const { onWarning } = this.#context;
    const paths = this.#homes.pathsOf(layer);
    try {
      mountLayer(this.#homes, { layer, paths, options: chosen, mountLabel, idMaps, onWarning });
    } catch (error) {
      this.#releaseHome();
      throw error;
    }
  }

  /** Without the ones that only a container's mount has. */
  #mountOptions(given: readonly string[], metacopyWorks: boolean): string[] {
    const configured = this.#options.mountOptions;
    const chosen = chooseMountOptions({ given, configured, metacopyWorks });
    return this.#rootless ? [...chosen, 'userxattr'] : chosen;
  }

  #makeLayer(id: string, layer: LayerToMake, placeDiff: (path: string) => void): void {
    const { below, root, readWrite, idMaps } = layer;
    makeLayer(this.#homes.forNew(readWrite), {
      id,
      parent: below,
      root,
      owner: layerOwner(idMaps),
      placeDiff,
      onWarning: this.#context.onWarning,
    });
  }

  #rootOf(parent: TreeParent | undefined, idMaps?: IdMappings): DirectoryAttributes {
    if (parent === undefined) return baseRootAttributes(layerOwner(idMaps));
    if ('staged' in parent) return inheritedRootAttributes(parent.staged);
    return inheritedRootAttributes(this.#homes.require(parent.id).home.layer(parent.id).diff);
  }

  #canShift(): boolean {
    return shiftingIsAllowed() && this.#known().shifting === true;
  }

  #known(): Partial<OverlayFeatures> {
    return this.#features ?? recallFeatures(this.#options.mountOptionText, this.#cache);
  }

  #openFeatures(): OverlayFeatures {
    if (this.#features !== undefined) return this.#features;
    throw new TypeError('the driver must be opened before it can mount');
  }
}

function openInFirst(directories: readonly string[], name: Buffer): number | undefined {
  for (const directory of directories) {
    const fd = openInside(directory, name);
    if (fd !== undefined) return fd;
  }
  return undefined;
}
