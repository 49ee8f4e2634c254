import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';

/** The directories of layers below one directory, and what else may lie beside them. */
export class LayerDirectories {
  readonly root: string;
  readonly #reserved: ReadonlySet<string>;

  /** @param reserved names in `root` that are never layers; removing one would be a catastrophe */
  constructor(root: string, reserved: readonly string[] = []) {
    this.root = root;
    this.#reserved = new Set(reserved);
  }

  /**
   * Where the layer lies, or would lie.
   *
   * @throws {TypeError} for an id that cannot be the name of a layer directory
   */
  path(id: string): string {
    if (!this.#isName(id)) throw new TypeError(`${JSON.stringify(id)} cannot be the id of a layer`);
    return join(this.root, id);
  }

  exists(id: string): boolean {
    return this.#isName(id) && lstatSync(join(this.root, id), { throwIfNoEntry: false }) !== undefined;
  }

  /** @throws {StorageError} `LAYER_UNKNOWN` */
  require(id: string): string {
    if (this.exists(id)) return this.path(id);
    const path = join(this.root, id);
    throw new StorageError('LAYER_UNKNOWN', `layer "${id}" has no directory ${path}: layer not known`, {
      object: id,
      path,
      hint: 'if there is a record of it the store is damaged: remove the images with that layer and import them again',
    });
  }

  /** All ids, in byte order. Left-overs of feature probes count, so that garbage collection finds them. */
  list(): string[] {
    try {
      const entries = readdirSync(this.root, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isDirectory() && this.#isName(entry.name))
        .map(({ name }) => name)
        .sort();
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return [];
      throw wrapSystemError(error, `listing the layers in ${this.root}`, 'IO', { path: this.root });
    }
  }

  #isName(id: string): boolean {
    return (
      id !== '' && !id.startsWith('.') && !id.includes('/') && !id.includes('\0') && !this.#reserved.has(id)
    );
  }
}
