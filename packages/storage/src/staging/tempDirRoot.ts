import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { errnoCode, StorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
import { crypto } from '../lazyModules.ts';
import { createLockedFile, type LockedFile, tryLockFile } from './lockedFile.ts';
import { removeTree } from './removeTree.ts';
import { renameByPath } from './renameByPath.ts';

/**
 * A private directory that lives until {@link TempDir.cleanup}, or until its process dies and the next
 * one that looks collects it.
 */
export interface TempDir {
  readonly path: string;
  /** A fresh path `<k>-addition` inside; the caller makes it and renames it to where it belongs. */
  stageAddition(): string;
  /** Moves a file or directory of the same file system inside. A missing one is fine. */
  stageDeletion(path: string): void;
  /**
   * Leaves words for who finds the directory after its process was killed, instead of those left before.
   *
   * @returns path of the note
   */
  leaveNote(text: string): string;
  /** Deletes the directory with all that is in it. Slow for big trees: call it without store locks. */
  cleanup(): void;
}

export interface TempDirRootOptions {
  /** Told of left-overs that cannot be removed; without it they are an error. */
  readonly onWarning?: WarningHandler;
}

const LOCK_PREFIX = 'lock-';
const DIR_PREFIX = 'temp-dir-';
const NOTE = 'note';
const MAX_TRIES = 1000;
const MODE = 0o700;
/** On a root directory: Sediment made it, and may take it away. To other programs the bit means nothing. */
const OURS = 0o1000;
const MAX_NUMBER = 2 ** 32;

/**
 * Directories for staged additions and deferred deletions, `temp-dir-<n>` guarded by the lock file
 * `lock-<n>`, in the protocol that containers/storage uses since 1.59 (`internal/tempdir`). The root
 * directory comes into being when it is needed. If Sediment made it, its last user takes it away again:
 * older programs stumble over an unknown directory in the driver home.
 */
export class TempDirRoot {
  readonly root: string;
  readonly #onWarning: WarningHandler | undefined;
  #collected = false;

  constructor(root: string, options: TempDirRootOptions = {}) {
    this.root = root;
    this.#onWarning = options.onWarning;
  }

  /** Makes a new directory. Its parent's parent must exist. */
  create(): TempDir {
    try {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const made = this.#tryCreate();
        if (made !== undefined) return made;
      }
    } catch (error) {
      throw wrapSystemError(error, `making a staging directory in ${this.root}`, 'IO', { path: this.root });
    }
    throw new StorageError('IO', `no staging directory could be made in ${this.root}`, {
      path: this.root,
      hint: 'another program keeps removing files there: end it and try again',
    });
  }

  /**
   * Deletes what programs left that ended without a cleanup; skips what is in use.
   *
   * @returns how many directories are gone
   */
  recover(): number {
    let removed = 0;
    for (const number of this.#numbers()) {
      try {
        if (this.#collect(number)) removed++;
      } catch (error) {
        this.#report(wrapSystemError(error, `removing the left-over ${this.#dir(number)}`));
      }
    }
    // Who made the root is dead, so it is ours to take away.
    if (removed > 0) this.#collected = true;
    return removed;
  }

  /** How many directories {@link TempDirRoot.recover} would remove. Changes nothing. */
  countStale(): number {
    return this.#numbers().filter((number) => this.#isStale(number)).length;
  }

  /** The notes in directories that {@link TempDirRoot.recover} would remove. Changes nothing. */
  staleNotes(): string[] {
    const stale = this.#numbers().filter((number) => this.#isStale(number));
    return stale.map((number) => readNote(join(this.#dir(number), NOTE))).filter((note) => note !== '');
  }

  /** Whether there is a root directory of ours that nobody uses: its last user was killed, or in a hurry. */
  hasEmptyRoot(): boolean {
    return this.#isOurs() && this.#numbers().length === 0;
  }

  /**
   * Removes the root directory if it is empty and a Sediment made it, or this object collected left-overs
   * in it. Call it under the layers lock.
   */
  removeRootIfEmpty(): void {
    if (!this.#collected && !this.#isOurs()) return;
    try {
      rmdirSync(this.root);
      this.#collected = false;
    } catch (error) {
      const code = errnoCode(error);
      if (code === 'ENOENT' || code === 'ENOTEMPTY' || code === 'EEXIST') return;
      throw wrapSystemError(error, `removing ${this.root}`, 'IO', { path: this.root });
    }
  }

  #isOurs(): boolean {
    const mode = statSync(this.root, { throwIfNoEntry: false })?.mode;
    return mode !== undefined && (mode & OURS) !== 0;
  }

  #tryCreate(): TempDir | undefined {
    const number = String(crypto().randomInt(MAX_NUMBER));
    let lock: LockedFile | undefined;
    try {
      this.#makeRoot();
      lock = createLockedFile(this.root, this.#lock(number));
      if (lock === undefined) return undefined;
      mkdirSync(this.#dir(number), MODE);
      chmodSync(this.#dir(number), MODE);
      return new OwnedTempDir(this.#dir(number), lock);
    } catch (error) {
      lock?.remove();
      // The root went away in between, or a directory of that number is left over.
      if (errnoCode(error) === 'EEXIST' || (errnoCode(error) === 'ENOENT' && !existsSync(this.root))) {
        return undefined;
      }
      throw error;
    }
  }

  #makeRoot(): void {
    if (existsSync(this.root)) return;
    try {
      mkdirSync(this.root, MODE | OURS);
      chmodSync(this.root, MODE | OURS);
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw error;
    }
  }

  #collect(number: string): boolean {
    const lock = tryLockFile(this.#lock(number), { create: true });
    if (lock === undefined) return false;
    try {
      removeTree(this.#dir(number));
    } catch (error) {
      lock.release();
      throw error;
    }
    lock.remove();
    return true;
  }

  #isStale(number: string): boolean {
    if (!existsSync(this.#lock(number))) return true;
    const lock = tryLockFile(this.#lock(number), { create: false });
    lock?.release();
    return lock !== undefined;
  }

  #numbers(): string[] {
    let names: string[];
    try {
      names = readdirSync(this.root);
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return [];
      throw wrapSystemError(error, `reading ${this.root}`, 'IO', { path: this.root });
    }
    const numbers = names
      .map((name) => /^(?:lock|temp-dir)-(\d+)$/.exec(name)?.[1])
      .filter((number) => number !== undefined);
    return [...new Set(numbers)].sort();
  }

  #report(error: StorageError): void {
    if (this.#onWarning === undefined) throw error;
    this.#onWarning({ code: 'DEBRIS_LEFT', message: error.message, path: this.root });
  }

  #lock(number: string): string {
    return join(this.root, LOCK_PREFIX + number);
  }

  #dir(number: string): string {
    return join(this.root, DIR_PREFIX + number);
  }
}

class OwnedTempDir implements TempDir {
  readonly path: string;
  readonly #lock: LockedFile;
  #staged = 0;
  #gone = false;

  constructor(path: string, lock: LockedFile) {
    this.path = path;
    this.#lock = lock;
  }

  stageAddition(): string {
    return join(this.path, `${this.#next()}-addition`);
  }

  stageDeletion(path: string): void {
    const target = join(this.path, `${this.#next()}-${basename(path)}`);
    try {
      renameByPath(path, target);
    } catch (error) {
      if (errnoCode(error) === 'ENOENT' && !existsSync(path)) return;
      throw wrapSystemError(error, `moving ${path} away`, 'IO', { path });
    }
  }

  leaveNote(text: string): string {
    const path = join(this.path, NOTE);
    try {
      writeFileSync(path, text, { mode: 0o600 });
    } catch (error) {
      throw wrapSystemError(error, `writing ${path}`, 'IO', { path });
    }
    return path;
  }

  cleanup(): void {
    if (this.#gone) return;
    this.#gone = true;
    try {
      removeTree(this.path);
    } catch (error) {
      // Without its lock the rest is a left-over, which the next program collects.
      this.#lock.release();
      throw wrapSystemError(error, `removing ${this.path}`, 'IO', { path: this.path });
    }
    this.#lock.remove();
  }

  #next(): number {
    if (this.#gone) throw new TypeError(`the staging directory ${this.path} was already cleaned up`);
    return this.#staged++;
  }
}

function readNote(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return '';
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}
