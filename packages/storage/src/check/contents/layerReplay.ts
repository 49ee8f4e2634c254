import { TAR_TYPE, type TarHeader } from '@sediment/codec';
import { isStorageError } from '@sediment/core';
import { type EntryPath, splitEntryPath } from '../../unpack/entryPath.ts';
import {
  isAufsLink,
  isAufsMetadata,
  isOpaqueMarker,
  isWhiteoutName,
  whiteoutTarget,
} from '../../unpack/whiteoutName.ts';
import {
  currentInode,
  type EntryAttributes,
  type ExpectedEntry,
  type ExpectedInode,
  ExpectedTree,
  newDirectory,
  newEntry,
} from './expectedTree.ts';
import { headerAttributes, linkAttributes } from './headerAttributes.ts';

export interface ReplayRules {
  /** How the driver turns deletions into trees; see `UnpackPolicy`. */
  readonly whiteouts: 'overlay' | 'apply';
  /** Whether devices may be missing, since they cannot be made in a user namespace. */
  readonly devicesMayLack?: boolean;
}

const MAX_SYMLINKS = 40;

/**
 * Does to an expected tree what unpacking a layer does to the real one. The facts are those of the unpacker:
 * with `overlay` a layer's tree holds that layer alone, so that only its own symlinks are followed and
 * directories it needs but does not have appear with attributes of their own; with `apply` the layer is
 * unpacked over a copy of its parent's tree.
 */
export class LayerReplay {
  readonly #rules: ReplayRules;
  /** Marks what belongs to this layer. */
  readonly #layer = {};
  readonly #root: ExpectedEntry;
  readonly #replaced: Map<ExpectedInode, ExpectedInode>;
  /** What this layer's whiteouts deleted; the value is what was there. */
  readonly #deleted = new Map<ExpectedEntry, Map<string, ExpectedEntry | undefined>>();
  #understood = true;

  constructor(base: ExpectedTree, rules: ReplayRules) {
    this.#rules = rules;
    this.#root = this.#copyOf(base.root);
    this.#replaced = new Map(base.replaced);
  }

  /** Takes the next entry of the layer's tar. Headers that could not have been unpacked spoil the result. */
  entry(header: TarHeader): void {
    if (!this.#understood || header.typeflag === TAR_TYPE.paxGlobal) return;
    try {
      this.#understood = this.#replay(header);
    } catch (error) {
      // a name that is not unpacked, a device that Linux does not have
      if (!isStorageError(error) && !(error instanceof RangeError)) throw error;
      this.#understood = false;
    }
  }

  /** The tree with this layer; undefined when it cannot be told what it looks like. */
  finish(): ExpectedTree | undefined {
    return this.#understood ? new ExpectedTree(this.#root, this.#replaced) : undefined;
  }

  #replay(header: TarHeader): boolean {
    const path = splitEntryPath(header.name);
    if (path.isRoot) return true;
    if (this.#rules.whiteouts === 'apply' && isAufsMetadata(path.clean) && !isOpaqueMarker(path.clean)) {
      this.#leaveAufsDirectory(path);
      return true;
    }
    if (isWhiteoutName(path.base)) return this.#whiteout(path);
    const directory = this.#directory(path.parent);
    return directory !== undefined && this.#place(directory, nameOf(path.base), header);
  }

  /** AUFS kept its hard links in a directory of the root, which containers/storage leaves behind empty. */
  #leaveAufsDirectory({ parent }: EntryPath): void {
    if (parent.length === 0) return;
    const directory = this.#directory(parent);
    if (directory !== undefined) directory.optional = true;
  }

  #whiteout(path: EntryPath): boolean {
    if (isOpaqueMarker(path.base)) {
      const hiding = this.#directory(path.parent);
      if (hiding !== undefined) this.#removeOthers(hiding);
      return true;
    }
    const target = whiteoutTarget(path.base);
    if (target === undefined) return false;
    // Below something that this layer deletes there is nothing left to delete.
    const directory = this.#directory(path.parent);
    if (directory === undefined) return true;
    const name = nameOf(target);
    const deleted = this.#deleted.get(directory) ?? new Map();
    this.#deleted.set(directory, deleted.set(name, directory.children?.get(name)));
    directory.children?.delete(name);
    this.#touch(directory);
    return true;
  }

  #place(directory: ExpectedEntry, name: string, header: TarHeader): boolean {
    if (header.typeflag === TAR_TYPE.hardlink) return this.#placeLink(directory, name, header);
    const attributes = headerAttributes(header);
    if (attributes === undefined) return false;
    const entry =
      attributes.type === 'directory'
        ? this.#placeDirectory(directory, name, attributes)
        : newEntry(this.#layer, { owner: this.#layer, attributes });
    entry.headerOf = this.#layer;
    entry.optional = attributes.device !== undefined && this.#rules.devicesMayLack === true;
    this.#put(directory, name, entry);
    return true;
  }

  #placeLink(directory: ExpectedEntry, name: string, header: TarHeader): boolean {
    const path = splitEntryPath(header.linkname, 'link target');
    const target = this.#linkTarget(path);
    if (target === undefined) {
      // A copy of what AUFS kept elsewhere; of which attributes, only that entry tells.
      if (!isAufsLink(path.clean)) return false;
      this.#put(directory, name, newEntry(this.#layer, { owner: this.#layer, attributes: {} }));
      return true;
    }
    const inode = this.#change(target.inode, (attributes) => linkAttributes(header, attributes));
    const entry = newEntry(this.#layer, inode);
    entry.headerOf = this.#layer;
    this.#put(directory, name, entry);
    return true;
  }

  #linkTarget(path: EntryPath): ExpectedEntry | undefined {
    const directory = this.#directory(path.parent, 'find');
    const target = directory === undefined ? undefined : this.#visible(directory, nameOf(path.base));
    return target?.children === undefined ? target : undefined;
  }

  /** A directory keeps what is below it, unless something else stood there. */
  #placeDirectory(directory: ExpectedEntry, name: string, attributes: EntryAttributes): ExpectedEntry {
    const present = this.#child(directory, name);
    const entry = newDirectory(this.#layer, attributes);
    if (present?.children === undefined) entry.children = this.#shiningThrough(directory, name);
    else entry.children = present.optional ? this.#asOptional(present.children) : present.children;
    return entry;
  }

  /**
   * A directory that this layer deletes and makes again must hide the old one; containers/storage
   * forgets that with overlay, so that what was in the old one may show.
   */
  #shiningThrough(directory: ExpectedEntry, name: string): Map<string, ExpectedEntry> {
    const old = this.#rules.whiteouts === 'overlay' ? this.#deleted.get(directory)?.get(name) : undefined;
    return this.#asOptional(old?.children ?? new Map());
  }

  #asOptional(children: ReadonlyMap<string, ExpectedEntry>): Map<string, ExpectedEntry> {
    const entries = [...children].map(([name, child]) => [name, { ...this.#copyOf(child), optional: true }]);
    return new Map(entries as [string, ExpectedEntry][]);
  }

  /**
   * An opaque marker: all goes that this layer did not put there. But the kernel's overlay does not look at
   * the mark of the root: what is below shows all the same.
   */
  #removeOthers(
    directory: ExpectedEntry,
    isVain = this.#rules.whiteouts === 'overlay' && directory === this.#root,
  ): void {
    for (const name of [...(directory.children?.keys() ?? [])]) {
      const child = this.#child(directory, name) as ExpectedEntry;
      if (child.madeBy !== this.#layer) {
        if (isVain) child.optional = true;
        else directory.children?.delete(name);
        continue;
      }
      // containers/storage does not spare directories on the way to what this layer unpacked (vfs).
      if (this.#rules.whiteouts === 'apply' && child.headerOf !== this.#layer) child.optional = true;
      if (child.children !== undefined) this.#removeOthers(child, isVain);
    }
    this.#touch(directory);
  }

  /** The directory at a path, following symlinks; `make` makes what is missing. */
  #directory(path: Buffer, missing: 'make' | 'find' = 'make'): ExpectedEntry | undefined {
    const pending = components(nameOf(path)).reverse();
    const walked = [this.#root];
    let symlinks = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '..') {
        if (walked.length > 1) walked.pop();
        continue;
      }
      const parent = walked.at(-1) as ExpectedEntry;
      const found = this.#visible(parent, name);
      const target = found === undefined ? undefined : this.#attributesOf(found).target;
      if (target !== undefined) {
        if (++symlinks > MAX_SYMLINKS) return undefined;
        const text = nameOf(target);
        if (text.startsWith('/')) walked.length = 1;
        pending.push(...components(text).reverse());
        continue;
      }
      const next = found ?? (missing === 'make' ? this.#makeParent(parent, name) : undefined);
      if (next?.children === undefined) return undefined;
      if (missing === 'make') {
        next.madeBy = this.#layer;
        next.optional = false;
      }
      walked.push(next);
    }
    return walked.at(-1);
  }

  /** A directory that an entry needs and the tar does not have: its attributes depend on who unpacked. */
  #makeParent(parent: ExpectedEntry, name: string): ExpectedEntry | undefined {
    if (this.#rules.whiteouts === 'overlay' && this.#deleted.get(parent)?.has(name) === true)
      return undefined;
    const entry = this.#placeDirectory(parent, name, { type: 'directory' });
    this.#put(parent, name, entry);
    return entry;
  }

  /** What the unpacker sees under a name: with overlay only what this layer has put there. */
  #visible(directory: ExpectedEntry, name: string): ExpectedEntry | undefined {
    const child = this.#child(directory, name);
    return this.#rules.whiteouts === 'apply' || child?.madeBy === this.#layer ? child : undefined;
  }

  /** The entry in a form that this layer may change. */
  #child(directory: ExpectedEntry, name: string): ExpectedEntry | undefined {
    const child = directory.children?.get(name);
    if (child === undefined || child.owner === this.#layer) return child;
    const copy = this.#copyOf(child);
    directory.children?.set(name, copy);
    return copy;
  }

  #copyOf(entry: ExpectedEntry): ExpectedEntry {
    const children = entry.children === undefined ? undefined : new Map(entry.children);
    return { ...entry, owner: this.#layer, children };
  }

  #put(directory: ExpectedEntry, name: string, entry: ExpectedEntry): void {
    directory.children?.set(name, entry);
    this.#touch(directory);
  }

  /** Unpacking into a directory of the parent's copy sets its time, unless the layer's header does so later. */
  #touch(directory: ExpectedEntry): void {
    if (this.#rules.whiteouts === 'overlay' || directory.headerOf === this.#layer) return;
    const { mtime: _, ...attributes } = this.#attributesOf(directory);
    directory.inode = { owner: this.#layer, attributes };
  }

  #change(inode: ExpectedInode, change: (attributes: EntryAttributes) => EntryAttributes): ExpectedInode {
    const current = currentInode(inode, this.#replaced);
    const attributes = change(current.attributes);
    if (current.owner === this.#layer) {
      current.attributes = attributes;
      return current;
    }
    const fresh = { owner: this.#layer, attributes };
    this.#replaced.set(current, fresh);
    return fresh;
  }

  #attributesOf(entry: ExpectedEntry): EntryAttributes {
    return currentInode(entry.inode, this.#replaced).attributes;
  }
}

function nameOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}

function components(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
