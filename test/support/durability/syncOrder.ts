import type { DiskAction } from './diskActions.ts';
import { type DiskFile, DiskFiles } from './diskFiles.ts';
import { recordKindOf, type StoreFileKind, storeFileKind } from './storeFiles.ts';

export type SyncPolicy = 'none' | 'ordered' | 'full';

/** What a command did to a store, and what was wrong about its order. */
export interface SyncOrder {
  /** One line for each violation of the policy. */
  readonly violations: readonly string[];
  /** How often a record became visible, content came to its place, and content went from there. */
  readonly records: number;
  readonly placed: number;
  readonly removed: number;
  /** How many syncs there were of whole file systems, and of content or what becomes content. */
  readonly barriers: number;
  readonly contentSyncs: number;
}

/**
 * Checks the order of what a command did against a policy.
 *
 * - `none`: a record is synced before it is renamed to its name.
 * - `ordered`: in addition, data is on the disk before the rename that brings it to its place; all that lies in
 *   place is on the disk, with its names, before the rename of a record; a record says that content goes, or is
 *   gone, before the content goes.
 * - `full`: in addition, all is on the disk at the end.
 */
export function checkSyncOrder(
  graphRoot: string,
  actions: readonly DiskAction[],
  policy: SyncPolicy,
): SyncOrder {
  return new OrderChecker(graphRoot, policy).check(actions);
}

class OrderChecker {
  readonly #files = new DiskFiles();
  readonly #violations = new Set<string>();
  readonly #graphRoot: string;
  readonly #policy: SyncPolicy;
  /** Files that went from their places, and may be on the way to be replaced. */
  readonly #early = new Set<string>();
  /** Kinds of records that were renamed to their names. */
  readonly #saved = new Set<string>();
  readonly #counts = { records: 0, placed: 0, removed: 0, barriers: 0, contentSyncs: 0 };

  constructor(graphRoot: string, policy: SyncPolicy) {
    this.#graphRoot = graphRoot;
    this.#policy = policy;
  }

  check(actions: readonly DiskAction[]): SyncOrder {
    for (const action of actions) {
      if (action.kind === 'rename' || action.kind === 'link') this.#beforeNaming(action.from, action.path);
      if (action.kind === 'remove') this.#beforeRemoval(action.path);
      else this.#early.delete(action.path);
      if (action.kind === 'sync all') this.#counts.barriers++;
      if ((action.kind === 'sync' || action.kind === 'range') && this.#isContent(action.path))
        this.#counts.contentSyncs++;
      this.#files.apply(action);
    }
    for (const path of this.#early) this.#wrong(`${this.#relative(path)} goes before a record says so`);
    if (this.#policy === 'full') this.#atTheEnd();
    return { ...this.#counts, violations: [...this.#violations] };
  }

  #kind(path: string): StoreFileKind {
    return storeFileKind(this.#graphRoot, path);
  }

  /** Of layers: what is or becomes content, but no document that has a name of its own. */
  #isContent(path: string): boolean {
    return /^(?:overlay|vfs)(?:\/|-layers\/(?:tmp\/|[0-9a-f]{64}))/.test(this.#relative(path));
  }

  #relative(path: string): string {
    return path.startsWith(`${this.#graphRoot}/`) ? path.slice(this.#graphRoot.length + 1) : path;
  }

  #beforeNaming(from: string, to: string): void {
    const kinds = { from: this.#kind(from), to: this.#kind(to) };
    if (kinds.to === 'record') this.#beforeRecord(from, to);
    else if (kinds.to === 'content' && kinds.from !== 'content') this.#beforePlacing(from, to);
    else if (kinds.from === 'content' && kinds.to !== 'content') this.#beforeRemoval(from);
  }

  #beforeRecord(from: string, to: string): void {
    this.#counts.records++;
    this.#saved.add(recordKindOf(this.#graphRoot, to));
    const file = this.#files.at(from);
    if (file === undefined || file.written === undefined) this.#wrong(`${from} becomes ${to} unwritten`);
    else if (file.data !== 'synced') this.#wrong(`${this.#relative(to)} is renamed unsynced`);
    if (this.#policy === 'none') return;
    for (const each of this.#files.files) {
      const path = [...each.paths].find((name) => this.#kind(name) === 'content');
      if (path === undefined || this.#files.isOnDisk(each)) continue;
      this.#wrong(
        `${this.#relative(to)} is renamed before ${this.#relative(path)} is on the disk${this.#why(each)}`,
      );
    }
  }

  #beforePlacing(from: string, to: string): void {
    this.#counts.placed++;
    if (this.#policy === 'none') return;
    for (const file of this.#files.below(from)) {
      if (this.#files.isWritten(file)) continue;
      const [path = from] = file.paths;
      this.#wrong(`${this.#relative(path)} is renamed to ${this.#relative(to)} before its data is synced`);
    }
  }

  /** Not of what this command made itself and takes back, and not of what it replaces. */
  #beforeRemoval(path: string): void {
    if (this.#kind(path) !== 'content' || this.#files.at(path) !== undefined) return;
    this.#counts.removed++;
    const kind = recordKindOf(this.#graphRoot, path);
    if (kind === 'blobs' || kind === 'containers' || this.#saved.has(kind)) return;
    this.#early.add(path);
  }

  #atTheEnd(): void {
    for (const file of this.#files.files) {
      const path = [...file.paths].find((name) => ['record', 'content'].includes(this.#kind(name)));
      if (path === undefined || this.#files.isOnDisk(file)) continue;
      this.#wrong(`${this.#relative(path)} is not on the disk at the end${this.#why(file)}`);
    }
  }

  #why(file: DiskFile): string {
    return this.#files.isWritten(file) ? ' (its name or attributes)' : ' (its data)';
  }

  #wrong(line: string): void {
    this.#violations.add(line);
  }
}
