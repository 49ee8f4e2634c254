/** The kinds of entries that a tree can have. */
export type EntryType = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';

/** What an entry should look like. A fact that no tar tells is absent, and then not compared. */
export interface EntryAttributes {
  readonly type?: EntryType;
  readonly uid?: number;
  readonly gid?: number;
  /** Permissions with set-user-ID, set-group-ID and sticky bit. */
  readonly mode?: number;
  /** In bytes; of regular files only. */
  readonly size?: number;
  /** Seconds since 1970. */
  readonly mtime?: number;
  /** Of symlinks. */
  readonly target?: Buffer;
  /** Of devices, as `makedev` gives it. */
  readonly device?: number;
}

/** The attributes that all hard links of a file share. */
export interface ExpectedInode {
  /** The replay that may change this object; others replace it. */
  readonly owner: object;
  attributes: EntryAttributes;
}

/** A name in an expected tree. */
export interface ExpectedEntry {
  /** The replay that may change this object; others copy it. */
  readonly owner: object;
  inode: ExpectedInode;
  /** The last layer that put this entry (or, for directories, anything below it) into the tree. */
  madeBy: object | undefined;
  /** The last layer that has a header for it. */
  headerOf: object | undefined;
  /** Whether the entry may as well be missing. */
  optional: boolean;
  /** Of directories, by name in Latin-1. */
  children: Map<string, ExpectedEntry> | undefined;
}

/**
 * The tree that a chain of layers should show. Never changes: the tree of a child layer shares what the
 * layer does not change.
 */
export class ExpectedTree {
  readonly root: ExpectedEntry;
  /** Inodes whose attributes a later layer changed through one of several links. */
  readonly replaced: ReadonlyMap<ExpectedInode, ExpectedInode>;

  constructor(root: ExpectedEntry, replaced: ReadonlyMap<ExpectedInode, ExpectedInode> = new Map()) {
    this.root = root;
    this.replaced = replaced;
  }

  /** The tree below the first layer. */
  static empty(): ExpectedTree {
    return new ExpectedTree(newDirectory({}, { type: 'directory' }));
  }

  attributesOf(entry: ExpectedEntry): EntryAttributes {
    return currentInode(entry.inode, this.replaced).attributes;
  }
}

export function newDirectory(owner: object, attributes: EntryAttributes): ExpectedEntry {
  return { ...newEntry(owner, { owner, attributes }), children: new Map() };
}

export function newEntry(owner: object, inode: ExpectedInode): ExpectedEntry {
  return { owner, inode, madeBy: owner, headerOf: undefined, optional: false, children: undefined };
}

export function currentInode(
  inode: ExpectedInode,
  replaced: ReadonlyMap<ExpectedInode, ExpectedInode>,
): ExpectedInode {
  let current = inode;
  for (let next = replaced.get(current); next !== undefined; next = replaced.get(current)) current = next;
  return current;
}
