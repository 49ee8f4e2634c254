import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, isStorageError, wrapSystemError } from '@sediment/core';
import type { TempDir } from '../staging/tempDirRoot.ts';
import { makePrivateDirectory } from '../store/makePrivateDirectory.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { fillIndex } from './fillIndex.ts';
import { KeptIndex } from './keptIndex.ts';
import { LAYOUT_VERSION, LayoutFiles, makeDirectory } from './layoutFiles.ts';
import { EMPTY_LAYOUT, formatLayoutIndex, type LayoutIndex, readLayoutIndex } from './layoutIndex.ts';
import { loadSqlite } from './loadSqlite.ts';
import { rebuildLayoutIndex } from './rebuildLayoutIndex.ts';
import { BLOB_MODE, placeFile, replaceFile, writeSpoolFile } from './spoolFiles.ts';
import { isCorrupt, wrapSqliteError } from './sqliteError.ts';

/** What can be done while nobody else changes the lists of kept blobs. */
export interface KeptSession {
  readonly index: KeptIndex;
  readonly layout: LayoutIndex;
  /** Replaces `index.json`. */
  saveLayout(layout: LayoutIndex): void;
}

/**
 * The kept blobs of an open store: layout, index, staging and their lock. Made when a store has kept blobs or is to
 * have some.
 */
export class KeptStore {
  readonly context: StoreContext;
  readonly files: LayoutFiles;
  #index: KeptIndex | undefined;

  constructor(context: StoreContext) {
    this.context = context;
    this.files = new LayoutFiles(context.paths.keptLayout);
  }

  close(): void {
    this.#index?.close();
    this.#index = undefined;
  }

  /**
   * Runs `fn` alone, with the lists as they are now. The layout is made if it is missing, and what is lost or damaged
   * of the lists is made anew. `fn` runs again when it stumbles over damage; what it does must allow that.
   */
  async change<T>(fn: (session: KeptSession) => Promise<T> | T): Promise<T> {
    this.makeLayout();
    return await this.alone(async () => {
      const layout = await this.#readLayout();
      try {
        return await this.#withIndex(layout, fn);
      } catch (error) {
        if (!isCorrupt(error)) throw wrapSqliteError(error, this.context.paths.keptIndex);
        return await this.#withIndex(layout, fn, this.#moveIndexAside(error));
      }
    });
  }

  /** Makes layout and index if they are missing, before the first blob comes: blobs without an index look like a loss. */
  async prepare(): Promise<void> {
    loadSqlite();
    this.makeLayout();
    if (!existsSync(this.context.paths.keptIndex)) await this.change(() => undefined);
  }

  /** {@link change} for the layout alone; needs no index. */
  async changeLayout(fn: (layout: LayoutIndex) => Promise<LayoutIndex> | LayoutIndex): Promise<void> {
    await this.alone(async () => {
      const layout = await this.#readLayout();
      const next = await fn(layout);
      if (next !== layout) this.#saveLayout(next);
    });
  }

  /** Runs `fn` with a staging directory of its own, on the file system of the layout. */
  async withTemp<T>(fn: (temp: TempDir) => Promise<T> | T): Promise<T> {
    const temp = this.newTemp();
    try {
      return await fn(temp);
    } finally {
      temp.cleanup();
    }
  }

  /** A staging directory, which the caller cleans up. */
  newTemp(): TempDir {
    const { spool } = this.context.paths;
    try {
      makePrivateDirectory(spool);
    } catch (error) {
      throw wrapSystemError(error, `making ${spool}`, 'IO', { path: spool });
    }
    return this.context.blobTemp.create();
  }

  /** The layout appears as a whole: an empty one is valid, too. */
  makeLayout(): void {
    const { files } = this;
    if (existsSync(files.versionPath)) return;
    const temp = this.newTemp();
    try {
      const made = new LayoutFiles(temp.stageAddition());
      mkdirSync(made.root);
      makeDirectory(join(made.root, 'blobs', 'sha256'));
      writeSpoolFile(made.indexPath, new TextEncoder().encode(formatLayoutIndex(EMPTY_LAYOUT)), BLOB_MODE);
      writeSpoolFile(made.versionPath, new TextEncoder().encode(LAYOUT_VERSION), BLOB_MODE);
      moveLayout(made, files);
      this.context.disk.namedSync(files.root);
    } finally {
      temp.cleanup();
    }
  }

  /** Runs `fn` while nobody else changes what is kept. */
  async alone<T>(fn: () => Promise<T>): Promise<T> {
    const { locks, paths } = this.context;
    return await locks.lock(paths.keptLock, { rank: 'kept' }).withWrite(fn);
  }

  async #readLayout(): Promise<LayoutIndex> {
    const { indexPath } = this.files;
    try {
      return readLayoutIndex(indexPath);
    } catch (error) {
      if (!isStorageError(error, 'KEPT_INDEX_INVALID')) throw error;
    }
    const isLost = !existsSync(indexPath);
    if (!isLost) placeFile(indexPath, join(this.context.paths.sedimentRoot, 'index.json.damaged'));
    const layout = await rebuildLayoutIndex(this.context, this.files);
    this.#saveLayout(layout);
    this.#reportRebuilt(indexPath, isLost ? 'it was lost' : 'it was damaged');
    return layout;
  }

  #saveLayout(layout: LayoutIndex): void {
    const temp = this.newTemp();
    try {
      replaceFile(temp, this.files.indexPath, formatLayoutIndex(layout), BLOB_MODE);
      this.context.disk.namedSync(this.files.indexPath);
    } finally {
      temp.cleanup();
    }
  }

  async #withIndex<T>(
    layout: LayoutIndex,
    fn: (session: KeptSession) => Promise<T> | T,
    lossReason?: string,
  ): Promise<T> {
    const index = await this.#openIndex(layout, lossReason);
    const session = {
      index,
      layout,
      saveLayout: (next: LayoutIndex) => {
        session.layout = next;
        this.#saveLayout(next);
      },
    };
    return await fn(session);
  }

  async #openIndex(layout: LayoutIndex, lossReason?: string): Promise<KeptIndex> {
    if (this.#index?.isCurrent === true) return this.#index;
    this.close();
    const { keptIndex } = this.context.paths;
    const existed = existsSync(keptIndex);
    const index = new KeptIndex(keptIndex);
    try {
      if (!index.isFilled) {
        const filled = await fillIndex(this, index, layout);
        const lost = existed ? 'making it was interrupted' : 'it was lost';
        if (filled > 0 || lossReason !== undefined) this.#reportRebuilt(keptIndex, lossReason ?? lost);
      }
    } catch (error) {
      index.close();
      throw error;
    }
    this.#index = index;
    return index;
  }

  /** @returns why, in words */
  #moveIndexAside(cause: unknown): string {
    this.close();
    const { keptIndex } = this.context.paths;
    const aside = `${keptIndex}.damaged`;
    try {
      // First: the journal belongs to the damaged file, and must not be applied to a new one.
      rmSync(`${keptIndex}-journal`, { force: true });
      renameSync(keptIndex, aside);
    } catch (error) {
      throw wrapSystemError(error, `moving ${keptIndex} aside`, 'IO', { path: keptIndex });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    return `it was damaged (${reason}), and is now ${aside}`;
  }

  #reportRebuilt(path: string, reason: string): void {
    const message = `${path} was made anew from the kept blobs: ${reason}`;
    this.context.onWarning({ code: 'KEPT_INDEX_REBUILT', message, path });
  }
}

/** Another program may be faster, or may have left an incomplete layout, of which the blobs are kept. */
function moveLayout(made: LayoutFiles, files: LayoutFiles): void {
  try {
    renameSync(made.root, files.root);
  } catch (error) {
    const code = errnoCode(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') {
      throw wrapSystemError(error, `making the layout ${files.root}`, 'IO', { path: files.root });
    }
    if (!existsSync(files.versionPath)) placeFile(made.versionPath, files.versionPath);
  }
}
