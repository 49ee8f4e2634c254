import type { WarningHandler } from '@sediment/core';
import type { IdMappings } from '../idmaps/idMappings.ts';
import type { TempDir } from '../staging/tempDirRoot.ts';
import type { OwnChanges } from './diff/overlayChanges.ts';
import type { OpenedTree } from './openedTree.ts';
import type { UnpackPolicy } from './unpackPolicy.ts';

export type DriverName = 'overlay' | 'vfs';

/** A driver option as storage.conf and `--storage-opt` spell it: `[driver.]key=value`. */
export type DriverOption = string;

export interface DriverContext {
  readonly graphRoot: string;
  readonly runRoot: string;
  /** Generic options first, then those of the driver; a later one wins. */
  readonly options: readonly DriverOption[];
  /** Additional (read-only) image stores. */
  readonly imageStores: readonly string[];
  /** A root of its own for layers that are not written to again; containers stay in {@link graphRoot}. */
  readonly imageStore?: string;
  readonly onWarning: WarningHandler;
}

/** What a layer's tree stands on: a layer of the store, or a staged tree that will become one. */
export type TreeParent = { readonly id: string } | { readonly staged: string };

export interface CreateLayerOptions {
  readonly parent?: string;
  /** For a container; image layers are not written to again. */
  readonly readWrite: boolean;
  /** Whose root owns the layer's own directories; what comes from the parent keeps its owners. */
  readonly idMaps?: IdMappings;
  /** `--storage-opt` of a container: `size`, `inodes`. */
  readonly storageOptions?: Readonly<Record<string, string>>;
}

export interface CreateFromTemplateOptions {
  /** Of the record; the new layer stands on the template all the same. */
  readonly parent?: string;
  readonly readWrite: boolean;
  /** Ids of the template's content. */
  readonly templateMaps: IdMappings;
  /** Ids that the copy shall have. */
  readonly maps: IdMappings;
  /** SELinux context of the mount by which owners are changed. */
  readonly mountLabel?: string;
}

/** In which of the driver's homes a layer lies; see {@link DriverContext}. */
export type LayerPlace = 'own' | 'images' | 'additional';

export interface MountOptions {
  /** Replace the driver's `mountopt` as a whole. */
  readonly options?: readonly string[];
  readonly readOnly?: boolean;
  /** Skip syncs; a crash of the host then costs the content. Ignored where the kernel cannot. */
  readonly volatile?: boolean;
  /** SELinux context of all files in the mount. */
  readonly mountLabel?: string;
  /**
   * Show the layers below with the ids of these maps, without changing them. Only where
   * {@link Driver.supports} has `shifting`.
   */
  readonly idMaps?: IdMappings;
}

/**
 * Where layers live on disk and how they become a file system. Locks, records and cross-process mount
 * counts lie above: methods marked "locked" are called while the layers lock is held for writing.
 *
 * All methods are synchronous and throw `StorageError`. Only {@link Driver.open} probes, and what needs to know more
 * than open did (shifting, mounts, status), once until the host restarts.
 * Methods that take an id throw `LAYER_UNKNOWN` when there is no such layer, unless they say otherwise.
 */
export interface Driver {
  readonly name: DriverName;
  /** `<graph root>/<name>`. */
  readonly home: string;
  readonly supports: {
    /** A layer's tree can be made before its parent's is there. */
    readonly parallelTrees: boolean;
    /** {@link MountOptions.options} other than `ro` mean something. */
    readonly mountOptions: boolean;
    /** {@link MountOptions.idMaps} work. Known after {@link Driver.open}, or from an earlier one on this host. */
    readonly shifting: boolean;
  };
  readonly unpack: UnpackPolicy;

  /**
   * Checks that the driver works here and makes its home. Called once, before anything is written;
   * reading methods work without it.
   *
   * @throws {StorageError} `DRIVER_PREREQUISITES` with a hint, when this host or file system is unfit
   */
  open(): Promise<void>;
  /**
   * What `podman info` shows under `graphStatus`, in upstream's order. What cannot be found out is `unknown`, with a warning
   * if trying it failed.
   */
  status(): Array<[string, string]>;
  exists(id: string): boolean;
  /**
   * Where the layer lies: layers are made in `own`, or in `images` if they are not written to again and there
   * is such a place; layers in `additional` are never changed.
   */
  placeOf(id: string): LayerPlace | undefined;
  /** Ids of all layer directories of this store, with a record or without. */
  list(): string[];

  /** Locked. Makes an empty layer; what an interrupted program left under that id is removed, with a warning. */
  create(id: string, options: CreateLayerOptions): void;
  /** Locked. Makes a layer with the content of `template`, owned by the same people under other maps. */
  createFromTemplate(id: string, template: string, options: CreateFromTemplateOptions): void;
  /**
   * Locked. Gives every file that the layer shows its owner under other maps: from the host's ids to the
   * container's by `from`, and back to the host's by `to`. Layers below stay as they are.
   *
   * @throws {StorageError} `ID_UNMAPPED` for an owner that `from` does not have
   */
  updateIdMaps(id: string, from: IdMappings, to: IdMappings, mountLabel?: string): void;
  /**
   * Makes the empty directory of a staged tree, with the mode and owner that the layer's root will have.
   *
   * @returns the directory whose copy the tree must begin as ({@link UnpackTree.base}), where trees are complete
   */
  prepareStaged(path: string, options: { readonly parent?: TreeParent }): string | undefined;
  /** Locked. Makes the layer and moves the staged tree into it. `path` is gone afterwards. */
  commitStaged(path: string, id: string, options: { readonly parent?: string }): void;
  /**
   * Locked. Unmounts the layer and moves it into `temp`, which must be in the home where the layer lies;
   * {@link TempDir.cleanup} deletes it. A missing layer is fine, one of an additional store is left alone.
   */
  remove(id: string, temp: TempDir): void;

  /** Locked. Mounts, or uses the mount that is there, and returns the path of the complete tree. */
  get(id: string, options?: MountOptions): string;
  /**
   * Locked. Takes back one {@link Driver.get}, with `all` every one; the last one unmounts. Not being
   * mounted is fine.
   */
  put(id: string, options?: { readonly all?: boolean }): void;
  /** Whether `path`, as {@link Driver.get} returned it, still shows the layer. */
  isMounted(path: string): boolean;

  /** `GraphDriver.Data` of `podman inspect`. */
  metadata(id: string): Record<string, string>;
  /**
   * Opens a regular file of the layer's tar (a path relative to the layer's root, as bytes), without
   * ever leaving the layer and those below it. The caller closes the descriptor.
   *
   * @throws {StorageError} `FILE_INTEGRITY` when no such file is there
   */
  openFile(id: string, name: Buffer): number;
  /**
   * Shows the complete tree of a layer for reading, to the caller alone: no other program sees the mount,
   * no count changes, nothing is written, and lost short links are not made again. The caller closes it.
   *
   * @throws {StorageError} `MOUNT_FAILED` or what the host says, when the layer cannot be mounted
   */
  openTree(id: string): OpenedTree;
  /**
   * Where it is written what the layer changes in `base`, its direct parent (none for a base layer);
   * undefined when complete trees must be compared to find that out.
   */
  ownChanges(id: string, base: string | undefined): OwnChanges | undefined;
  /** Whether a staged tree may take the place of the layer's content: it has none, and is not mounted. */
  isReplaceable(id: string): boolean;
  /** Locked. Moves the staged tree into the place of the content of such a layer. `path` is gone afterwards. */
  replaceContent(path: string, id: string): void;
  /** Small files that the driver writes beside the content of a layer, by path. */
  noteFiles(id: string): string[];
  /** The directories that hold what the layer itself has; those of vfs hold what is below, too. */
  contentDirectories(id: string): string[];
  /**
   * How often this object took away the private mount of the driver home. When it grows, other programs
   * must be told by the storage lock's token.
   */
  readonly homeReleases: number;
  /** Whether there may be something for {@link Driver.close} to give back. */
  readonly holdsHome: boolean;
  /**
   * Locked. Gives back what {@link Driver.get} needed for all mounts, if none is left; with `everyones`, also what
   * other programs left of that kind.
   */
  close(options?: { readonly everyones?: boolean }): void;
}
